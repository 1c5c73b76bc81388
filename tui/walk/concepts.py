"""The folders that are trained, changed one by one: their repeats, names, words; left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.config import values
from ...core.config.config_problems import options
from ...core.config.options import OptionInfo
from ...core.dataset.layout_words import parse_name
from ...core.errors import Problem
from ...core.solving import MOST_REPEATS
from .dataset import ConceptRow, path_of
from .draft import Draft
from .own_values import problem_of

_WORDS = ("name", "trigger_words", "prompt", "class_prompt", "sample_prompt")


def turn_repeats(draft: Draft, rows: Sequence[ConceptRow], row: ConceptRow, by: int) -> None:
    """Change the repeats of a folder, wherever they are said. Where the names of several folders
    say them, the folders become a list. ``rows`` may be older than the draft."""
    if row.summary.is_regularization:
        return
    listed = _concept_at(draft, row.summary.folder) is not None
    if not listed and path_of(draft, draft.value("dataset.folder")) == row.summary.folder:
        own = draft.value("dataset.repeats")
        named = parse_name(row.summary.folder.name)
        draft.put("dataset.repeats", _turned(named[0] if named and own == 1 else own, by))
        return
    tables = _tables(draft) if listed else _as_list(draft, rows)
    at = _concept_at(draft, row.summary.folder, tables)
    if at is not None:
        tables[at]["repeats"] = _turned(tables[at].get("repeats", 1), by)
        _put_tables(draft, tables, None if listed else "")


def _turned(repeats: int, by: int) -> int:
    return max(1, min(repeats + by, MOST_REPEATS))


def drop_concept(draft: Draft, rows: Sequence[ConceptRow], row: ConceptRow) -> None:
    """Leave a folder out of training; the last one stays."""
    if row.summary.is_regularization or sum(not r.summary.is_regularization for r in rows) < 2:
        return
    listed = _concept_at(draft, row.summary.folder) is not None
    tables = _tables(draft) if listed else _as_list(draft, rows)
    at = _concept_at(draft, row.summary.folder, tables)
    if at is not None:
        del tables[at]
        _put_tables(draft, tables, None if listed else "")


def _as_list(draft: Draft, rows: Sequence[ConceptRow]) -> list[dict[str, Any]]:
    """All folders that are trained, as tables of ``dataset.concepts``."""
    tables = _tables(draft)
    for row in rows:
        summary = row.summary
        if not summary.is_regularization and _concept_at(draft, summary.folder, tables) is None:
            name = {"name": summary.name} if summary.name != summary.folder.name else {}
            tables.append({"folder": str(summary.folder), "repeats": summary.repeats, **name})
    return tables


def _put_tables(draft: Draft, tables: list[dict[str, Any]], folder: str | None) -> None:
    draft.put("dataset.concepts", tables)
    if folder is not None:
        draft.put("dataset.folder", folder)
        draft.put("dataset.repeats", None)


def _tables(draft: Draft) -> list[dict[str, Any]]:
    return [dict(table) for table in draft.value("dataset.concepts")]


def _concept_at(
    draft: Draft, folder: Path, tables: Sequence[dict[str, Any]] | None = None
) -> int | None:
    listed = _tables(draft) if tables is None else tables
    for at, table in enumerate(listed):
        if path_of(draft, str(table.get("folder", ""))) == folder:
            return at
    return None


def told(draft: Draft, row: ConceptRow) -> dict[str, Any]:
    """What the draft says of a folder, as a table of ``dataset.concepts``; only its repeats where
    it does not list it."""
    at = _concept_at(draft, row.summary.folder)
    return {"repeats": row.summary.repeats} if at is None else _tables(draft)[at]


def infos() -> dict[str, OptionInfo]:
    """What else can be said of a folder than where it is and how often it counts, by key."""
    return {key: options()[f"dataset.concepts[].{key}"] for key in _WORDS}


def texts(draft: Draft, row: ConceptRow) -> dict[str, str]:
    """What stands in the field of each of `infos`."""
    said = told(draft, row)
    return {
        key: values.as_text(info, said[key]) if said.get(key) is not None else ""
        for key, info in infos().items()
    }


def left_out(draft: Draft, row: ConceptRow, key: str) -> str:
    """What counts where the field is empty."""
    if key == "name":
        named = parse_name(row.summary.folder.name)
        return named[1] if named else row.summary.folder.name
    if key == "trigger_words":
        return draft.shown("captions.trigger_words") or "none"
    return {"prompt": "the captions alone", "class_prompt": "", "sample_prompt": "none of its own"}[
        key
    ]


def enter(
    draft: Draft, rows: Sequence[ConceptRow], row: ConceptRow, key: str, text: str
) -> Problem | None:
    """Take what was typed into the field of a folder; returns what is wrong with it."""
    value = values.parse(infos()[key], text) if text.strip() else None
    if value is None and told(draft, row).get(key) is None:
        return None
    return change(draft, rows, row, key, value)


def change(
    draft: Draft, rows: Sequence[ConceptRow], row: ConceptRow, key: str, value: Any
) -> Problem | None:
    """Set a key of a folder's table in ``dataset.concepts`` (None takes it out); folders that are
    not listed there become a list. What cannot stand there is not set: returns why."""
    listed = _concept_at(draft, row.summary.folder) is not None
    tables = _tables(draft) if listed else _as_list(draft, rows)
    at = _concept_at(draft, row.summary.folder, tables)
    if at is None:
        return None
    if value is None:
        tables[at].pop(key, None)
    else:
        tables[at][key] = value
    if problem := problem_of("dataset.concepts", tables):
        return problem
    _put_tables(draft, tables, None if listed else "")
    return None
