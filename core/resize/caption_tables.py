"""Files of many captions, copied as far as they are about pictures that were."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..dataset.caption_tables import read_table
from ..dataset.captions import CaptionError
from ..files import write_text
from .table import Row

SUFFIXES = (".json", ".jsonl")
_SEPARATOR = ","


def copy_tables(
    source: Path, into: Path, tables: Sequence[Path], rows: Sequence[Row], *, is_flat: bool = False
) -> int:
    """Write into ``into``, under the same names, what the ``tables`` below ``source`` say of the
    pictures of ``rows``, by their copies' names; returns how many captions that added. What stands
    there already counts: it is somebody's by now. With ``is_flat`` the tables of inner folders
    become one beside the copies. Raises WriteError."""
    # As captions are read: of two tables, the one in the picture's own folder comes first.
    innermost = sorted(tables, key=lambda path: -len(path.parts))
    return sum(
        _copy(source, path, into / (path.name if is_flat else path.relative_to(source)), into, rows)
        for path in innermost
    )


def _copy(source: Path, path: Path, target: Path, into: Path, rows: Sequence[Row]) -> int:
    try:
        table = read_table(path, _SEPARATOR)
    except CaptionError:
        # Any JSON may lie beside pictures.
        return 0
    found: dict[str, str] = {}
    pictures = {row.source: source / row.source for row in rows}
    own = {name for name, item in pictures.items() if item.is_relative_to(path.parent)}
    for row in rows:
        name = table.name_of(pictures[row.source])
        if name is not None and "/" not in name and own and row.source not in own:
            # One of the same name in another folder, of which it says nothing.
            continue
        if name is not None:
            found[_relative(into / row.file, target.parent)] = table.texts[name]
    if not found:
        return 0
    try:
        there = read_table(target, _SEPARATOR).texts if target.exists() else {}
    except CaptionError:
        return 0
    if added := found.keys() - there.keys():
        write_text(target, _text({**found, **there}, target.suffix.lower()))
    return len(added)


def _relative(path: Path, folder: Path) -> str:
    return PurePosixPath(os.path.relpath(path, folder)).as_posix()


def _text(captions: Mapping[str, str], suffix: str) -> str:
    names = sorted(captions)
    if suffix == ".json":
        document = {name: {"caption": captions[name]} for name in names}
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    rows = ({"file_name": name, "text": captions[name]} for name in names)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
