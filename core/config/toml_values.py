"""Values as they stand in a TOML, and when two are the same there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LINE = 88
"""Columns that an array on one line may have."""


def written(value: Any) -> str:
    """``value`` as it stands in a TOML: on one line where that is not too long."""
    if isinstance(value, list):
        items = [written(item) for item in value]
        line = f"[{', '.join(items)}]"
        if len(line) <= _LINE:
            return line
        return "".join(["[\n", *(f"    {item},\n" for item in items), "]"])
    if isinstance(value, Mapping):
        items = [
            f"{_key(name)} = {written(item)}" for name, item in value.items() if item is not None
        ]
        return "{ " + ", ".join(items) + " }" if items else "{}"
    return tomli_w.dumps({"x": value}).partition("= ")[2].rstrip("\n")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else tomli_w.dumps({name: 0}).partition(" = 0")[0]


def same(one: Any, other: Any) -> bool:
    """Whether they are equal, and of the same type: 1, 1.0 and true are three values of a TOML."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def is_tables(value: Any) -> bool:
    """Whether it is a list of tables."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def kept_tables(before: Sequence[Any], now: Sequence[Any]) -> dict[int, int]:
    """Which table of ``before`` is which of ``now``: the one of the same folder, as long as the
    order is the same; all else is new."""
    if len(before) == len(now):
        return {index: index for index in range(len(now))}
    found: dict[int, int] = {}
    at = 0
    for index, table in enumerate(before):
        for place in range(at, len(now)):
            if table.get("folder") == now[place].get("folder"):
                found[index], at = place, place + 1
                break
    # What is new may only come at the end.
    places = list(found.values())
    return found if places == list(range(len(places))) else {}
