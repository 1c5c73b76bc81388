"""Changes single values of a TOML and leaves the rest as the person wrote it, byte by byte.

The text is never printed anew: what is written is the text that was read, with the edits of now
spliced in. A value that is set back to what it was, or a key that is put back, is no edit, and the
text is again what was read.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WizardError
from .toml_source import KeyPath
from .toml_spans import Block, Pair, scan
from .toml_values import is_tables, kept_tables, same, written

_MEND_BY_HAND = "Something else stands there: mend the file in an editor."
_Splice = tuple[int, int, int, str]
"""Start, end, rank among those at one place, and what comes there."""
_LINE, _HEADER = 0, 1
"""Ranks: a line belongs to the section above it, and so comes before any new header."""


class EditError(WizardError):
    """The text has something else where the value belongs, such as two tables of one name."""


class TomlText:
    """A TOML as text whose values can be read and changed by their dotted key.

    The text has to be valid TOML. Comments, order, and blank lines stay; what is added comes at
    the end of its section.
    """

    def __init__(self, text: str) -> None:
        self._base = text
        self._data = tomllib.loads(text)
        self._edits: dict[str, Any] = {}
        """By key: the new value, None for what is taken out."""
        self._without_comment: set[str] = set()
        self._blocks: list[Block] | None = None
        self._text: str | None = text

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._spliced()
        return self._text

    def get(self, key: str) -> Any:
        """The value of ``key`` as plain Python; None when it is not there."""
        value = self._edits[key] if key in self._edits else self._read(key)
        return copy.deepcopy(value) if isinstance(value, (list, dict)) else value

    def was(self, key: str) -> Any:
        """The value of ``key`` in the text that was read; None when it was not there."""
        return self._read(key)

    def set(self, key: str, value: Any) -> None:
        """Put ``value`` in, keeping the comment behind it in its column. Raises EditError where it
        cannot stand."""
        before, self._text = self._edits.pop(key, None), None
        if same(value, self._read(key)):
            return
        self._edits[key] = copy.deepcopy(value)
        if before is None and self._read(key) is None:
            try:
                tomllib.loads(str(self))
            except tomllib.TOMLDecodeError as error:
                del self._edits[key]
                self._text = None
                raise EditError("cannot be put into the file", str(error), _MEND_BY_HAND) from error

    def unset(self, key: str) -> None:
        """Take ``key``, or all of a section, out; harmless when it is not there."""
        self.set(key, None)

    def drop_comment(self, key: str) -> None:
        """Take away the comment behind ``key``'s value, for as long as the value is another one
        than in the text that was read."""
        self._text = None
        self._without_comment.add(key)

    def _read(self, key: str) -> Any:
        section, _, name = key.partition(".")
        table = self._data.get(section)
        if not name:
            return table
        return table.get(name) if isinstance(table, Mapping) else None

    def _spliced(self) -> str:
        if not self._edits:
            return self._base
        if self._blocks is None:
            self._blocks = scan(self._base)
        splicer = _Splicer(self._base, self._blocks, self._without_comment)
        for key, value in self._edits.items():
            splicer.edit(key, self._read(key), value)
        return splicer.text()


class _Splicer:
    """Collects what to cut out and what to put in."""

    def __init__(self, base: str, blocks: Sequence[Block], without_comment: set[str]) -> None:
        self._base = base
        self._blocks = blocks
        self._without_comment = without_comment
        self._splices: list[_Splice] = []
        self._inline: dict[int, dict[str, str | None]] = {}
        """By place of an inline table: its changed items as text."""
        self._new: dict[str, list[str]] = {}
        """By section that is not there yet: its lines."""
        self._newline = "\r\n" if "\r\n" in base else "\n"
        self._pairs: dict[KeyPath, Pair] = {}
        for block in blocks:
            for pair in block.pairs:
                self._pairs[pair.path] = pair

    def edit(self, key: str, before: Any, value: Any) -> None:
        section, _, name = key.partition(".")
        if not name:
            self._take_out((section,))
            return
        path: KeyPath = (section, name)
        inline = self._pairs.get((section,))
        arrays = [block for block in self._blocks if block.is_array and block.path[:-1] == path]
        if inline is not None:
            self._inline.setdefault(inline.value, {})[name] = (
                None if value is None else written(value)
            )
        elif arrays:
            self._edit_tables(path, arrays, before, value or [])
        elif path in self._pairs:
            self._edit_pair(self._pairs[path], value, key in self._without_comment)
        elif is_tables(value):
            text = "".join(self._table_text(path, table) for table in value)
            self._put(len(self._base), text, _HEADER)
        elif before is not None:
            self._edit_dotted(path, value)
        elif value is not None:
            self._add(section, name, value)

    def text(self) -> str:
        for place, changes in self._inline.items():
            pair = next(pair for pair in self._pairs.values() if pair.value == place)
            self._replace(pair.value, pair.value_end, self._inline_text(pair, changes))
        for section, lines in self._new.items():
            before = "" if not self._base.strip() else self._newline
            self._put(len(self._base), before + self._lines([f"[{section}]", *lines]), _HEADER)
        parts: list[str] = []
        at = 0
        for start, end, _, text in sorted(self._splices, key=lambda splice: splice[:3]):
            parts += [self._base[at:start], text]
            at = end
        return "".join([*parts, self._base[at:]])

    def _edit_pair(self, pair: Pair, value: Any, drop_comment: bool) -> None:
        if value is None:
            start = self._base.rfind("\n", 0, pair.start) + 1
            self._replace(start, pair.end, "")
            return
        new = written(value).replace("\n", self._newline)
        gap, end = "", pair.value_end
        if drop_comment:
            end = pair.comment_end
        elif pair.comment > pair.value_end:
            # Back to where it stood, as far as the new value lets it.
            end = pair.comment
            old, gap = self._base[pair.value : pair.value_end], self._base[pair.value_end : end]
            if "\n" not in old + new and "\t" not in gap:
                gap = " " * max(min(2, len(gap)), len(gap) + len(old) - len(new))
        self._replace(pair.value, end, new + gap)

    def _edit_dotted(self, path: KeyPath, value: Any) -> None:
        """A table where a value belongs: nothing of ours, replaced whole."""
        self._take_out(path)
        if value is not None:
            self._add(str(path[0]), str(path[1]), value)

    def _take_out(self, path: KeyPath) -> None:
        size = len(path)
        inside = [pair for pair in self._pairs.values() if pair.path[:size] == path]
        for pair in inside:
            self._edit_pair(pair, None, False)
        for block in self._blocks:
            if block.path[:size] == path:
                self._replace(block.start, block.header_end, "")

    def _add(self, section: str, name: str, value: Any) -> None:
        line = f"{name} = {written(value)}"
        # A header may come once, and the pairs before it may be dotted.
        block = next((b for b in self._blocks if b.path == (section,) and not b.is_array), None)
        if block is not None:
            self._put(block.end, self._lines([self._indent(block) + line]))
            return
        root = [pair for pair in self._blocks[0].pairs if pair.path[0] == section]
        if root:
            last = root[-1]
            start = self._base.rfind("\n", 0, last.start) + 1
            before = self._base[start : last.name] if len(last.path) == 2 else f"{section}."
            self._put(last.end, self._lines([before + line]))
        else:
            self._new.setdefault(section, []).append(line)

    def _edit_tables(
        self, path: KeyPath, arrays: Sequence[Block], before: Any, value: list[Any]
    ) -> None:
        """Tables that are still there are edited in their place; the others go or come."""
        places = kept_tables(before, value)
        for index, block in enumerate(arrays):
            if index in places:
                self._edit_table(block, before[index], value[places[index]])
            else:
                self._replace(block.start, block.end, "")
        rest = [table for index, table in enumerate(value) if index not in places.values()]
        text = "".join(self._table_text(path, table) for table in rest)
        self._put(arrays[-1].end, text, _HEADER)

    def _edit_table(self, block: Block, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        pairs = {pair.path[-1]: pair for pair in block.pairs}
        for name in [*before, *(name for name in now if name not in before)]:
            if same(before.get(name), now.get(name)):
                continue
            if name in pairs:
                self._edit_pair(pairs[name], now.get(name), drop_comment=False)
            else:
                line = f"{self._indent(block)}{name} = {written(now[name])}"
                self._put(block.end, self._lines([line]))

    def _table_text(self, path: KeyPath, table: Mapping[str, Any]) -> str:
        lines = [f"{name} = {written(value)}" for name, value in table.items() if value is not None]
        return self._newline + self._lines([f"[[{'.'.join(map(str, path))}]]", *lines])

    def _inline_text(self, table: Pair, changes: Mapping[str, str | None]) -> str:
        changes = dict(changes)
        items: list[str] = []
        for pair in table.items:
            name, raw = str(pair.path[1]), self._base[pair.start : pair.value_end]
            if name not in changes:
                items.append(raw)
            elif (new := changes.pop(name)) is not None:
                items.append(self._base[pair.start : pair.value] + new)
        items += [f"{name} = {new}" for name, new in changes.items() if new is not None]
        return "{ " + ", ".join(items) + " }" if items else "{}"

    def _indent(self, block: Block) -> str:
        if not block.pairs:
            return ""
        last = block.pairs[-1].start
        return self._base[self._base.rfind("\n", 0, last) + 1 : last]

    def _lines(self, lines: Sequence[str]) -> str:
        return "".join(line.replace("\n", self._newline) + self._newline for line in lines)

    def _replace(self, start: int, end: int, text: str) -> None:
        self._splices.append((start, end, _LINE, text))

    def _put(self, at: int, text: str, rank: int = _LINE) -> None:
        if text and at and self._base[at - 1] != "\n":
            # Only the text's last line has no end; what is put in takes its place as the last.
            text = self._newline + text.removesuffix(self._newline)
        self._splices.append((at, at, rank, text))
