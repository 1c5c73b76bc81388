"""Options of one table in a list, such as ``dataset.concepts[1].repeats``: a key of their own for
what is typed into their field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.config import values
from ...core.config.config_problems import options
from ...core.errors import Problem

_KEY = re.compile(r"([a-z_.]+)\[(\d{1,6})\]\.([a-z_]+)")


@dataclass(frozen=True)
class ListItem:
    """The option ``name`` of the table ``number``, from 0, in the list ``of``."""

    of: str
    number: int
    name: str

    def value(self, tables: Any) -> Any:
        """What the list says; None where it says nothing."""
        return tables[self.number].get(self.name) if self.is_in(tables) else None

    def is_in(self, tables: Any) -> bool:
        """Whether the list has such a table."""
        there = tables[self.number :] if isinstance(tables, list) else []
        return bool(there) and isinstance(there[0], Mapping)

    def put(self, tables: list[Any], value: Any) -> list[Any]:
        """The list with ``value`` in it; None takes the key out."""
        table = {key: there for key, there in tables[self.number].items() if key != self.name}
        if value is not None:
            table[self.name] = value
        return [*tables[: self.number], table, *tables[self.number + 1 :]]


def item_of(key: str) -> ListItem | None:
    """What an option's key names in a list; None for every other option, known or not."""
    found = _KEY.fullmatch(key)
    if found is None or f"{found[1]}[].{found[3]}" not in options():
        return None
    return ListItem(found[1], int(found[2]), found[3])


def option_key(key: str) -> str:
    """By what name `options` has it: ``dataset.concepts[].repeats`` of
    ``dataset.concepts[1].repeats``, and every other key as it is."""
    item = item_of(key)
    return f"{item.of}[].{item.name}" if item else key


def problem_of_item(key: str, item: ListItem, value: Any) -> Problem | None:
    """What is wrong with ``value``, by itself; an empty field stands for the default."""
    if value is None:
        return None
    found = values.problem(item.of, [{"folder": "any", item.name: value}])
    return replace(found, where=key) if found else None
