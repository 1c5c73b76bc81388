"""Changes single values of a TOML and leaves the rest as the person wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import AbstractTable, Item


class TomlText:
    """A TOML as text whose values can be read and changed by their dotted key.

    The text has to be valid TOML. Comments, order, and blank lines stay; what is added comes at
    the end of its section.
    """

    def __init__(self, text: str) -> None:
        self._document = tomlkit.parse(text)

    def __str__(self) -> str:
        return tomlkit.dumps(self._document)

    def get(self, key: str) -> Any:
        """The value of ``key`` as plain Python; None when it is not there."""
        section, _, name = key.partition(".")
        table = self._document.get(section)
        if not isinstance(table, Mapping):
            return None
        value = table.get(name)
        unwrap = getattr(value, "unwrap", None)
        return unwrap() if unwrap else value

    def set(self, key: str, value: Any) -> None:
        """Put ``value`` in, keeping the comment behind it in its column."""
        section, _, name = key.partition(".")
        if section not in self._document:
            self._document[section] = tomlkit.table()
        table = self._document[section]
        before = table.get(name)
        table[name] = value
        _keep_column(before, table[name])

    def unset(self, key: str) -> None:
        """Take ``key`` out; harmless when it is not there."""
        section, _, name = key.partition(".")
        table = self._document.get(section)
        if isinstance(table, AbstractTable) and name in table:
            table.remove(name)

    def drop_comment(self, key: str) -> None:
        """Take away the comment behind ``key``'s value."""
        section, _, name = key.partition(".")
        table = self._document.get(section)
        item = table.item(name) if isinstance(table, AbstractTable) and name in table else None
        if isinstance(item, Item):
            item.trivia.comment = item.trivia.comment_ws = ""


def _keep_column(before: Any, item: Any) -> None:
    """Move the comment behind ``item`` back to where it stood behind ``before``, as far as the new
    value lets it."""
    # A boolean comes out of tomlkit as Python's own, without its comment.
    if hasattr(before, "as_string") and hasattr(item, "as_string") and item.trivia.comment:
        gap = len(item.trivia.comment_ws) + len(before.as_string()) - len(item.as_string())
        item.trivia.comment_ws = " " * max(2, gap)
