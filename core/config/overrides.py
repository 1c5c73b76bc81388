"""Values given on the command line: ``section.key=value``."""

from __future__ import annotations

import tomllib
from typing import Any, get_args

from ..errors import Problem, ProblemsError
from . import config_problems, values

_FORM = "It is section.key=value, such as training.epochs=3."


def parse_override(text: str) -> tuple[str, Any]:
    """Key and value of ``text``. The value is TOML, or a bare word or sentence that stands for
    itself; for a list of texts, one text is a list of one.

    Raises ProblemsError when it has not that form or there is no such key.
    """
    key, equals, raw = (part.strip() for part in text.partition("="))
    if not equals or not key:
        raise _error(Problem("this sets nothing", where=key, remedy=_FORM))
    if not raw.isascii() and any(0xD800 <= ord(char) <= 0xDFFF for char in raw):
        raise _error(Problem("the value is not UTF-8", where=key))
    if _is_of_table(key):
        return key, _toml(raw)
    info = config_problems.options().get(key)
    if info is None or "[]" in key:
        section, _, name = key.rpartition(".")
        remedy = config_problems.suggest(section, name).remedy
        raise _error(
            Problem("there is no such key", where=config_problems.dotted([key]), remedy=remedy)
        )
    value = values.parse(info, raw) if values.is_table(info) else _toml(raw)
    if info.annotation is str and not isinstance(value, str):
        value = raw
    if isinstance(value, str) and list[str] in (info.annotation, *get_args(info.annotation)):
        value = [value]
    return key, value


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set ``key`` in ``data``. A section that is no table is replaced by one."""
    *tables, name = key.split(".")
    for part in tables:
        table = data.get(part)
        if not isinstance(table, dict):
            table = data[part] = {}
        data = table
    data[name] = value


def _is_of_table(key: str) -> bool:
    """Whether ``key`` is an entry of an option that is a table, such as an optimizer's argument."""
    table, _, name = key.rpartition(".")
    info = config_problems.options().get(table)
    return info is not None and bool(name) and values.is_table(info)


def _toml(raw: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):
        return raw
    # A line break in the value could bring keys of its own.
    return parsed["value"] if list(parsed) == ["value"] else raw


def _error(problem: Problem) -> ProblemsError:
    return ProblemsError("A value given on the command line cannot be used", [problem])
