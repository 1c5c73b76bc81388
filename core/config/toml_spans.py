"""Where the keys and values of a TOML stand in its text.

`tomllib` decides what is valid; `scan` walks over text that it has accepted and trusts it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

from .toml_source import KeyPath

_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?!")|' r"'''.*?'''(?!')|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_NESTED = re.compile(rf"(?:{_STRING.pattern})|#[^\n]*|[\[\]{{}}]", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\r\n]*")
_PART = re.compile(r"""[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_BLANKS = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST = re.compile(r"([ \t]*)(#[^\r\n]*)?[ \t]*(\r?\n|\Z)")
_GAP = re.compile(r"[ \t]*")


@dataclass(frozen=True)
class Pair:
    """``key = value``; all places are indexes into the text."""

    path: KeyPath
    """With its table's; entries of an array of tables by their number."""
    start: int
    """Of the key."""
    name: int
    """Of the key's last part."""
    value: int
    value_end: int
    comment: int
    """Of the comment behind it; the end of the line's text where there is none."""
    comment_end: int
    end: int
    """Behind the line's end."""
    items: tuple[Pair, ...] = ()
    """Of an inline table."""


@dataclass
class Block:
    """A header and the pairs under it; the first block of a text has no header."""

    path: KeyPath
    is_array: bool
    start: int
    header_end: int
    """Behind the header's line."""
    pairs: list[Pair] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Behind the last line that is not blank or a comment."""
        return self.pairs[-1].end if self.pairs else self.header_end


def scan(text: str) -> list[Block]:
    """The blocks of a valid TOML, in their order."""
    blocks = [Block((), False, 0, 0)]
    counts: dict[KeyPath, int] = {}
    at = _blanks(text, 0)
    while at < len(text):
        if text[at] == "[":
            block = _header(text, at, counts)
            blocks.append(block)
            at = block.header_end
        else:
            pair = _pair(text, at, blocks[-1].path)
            blocks[-1].pairs.append(pair)
            at = pair.end
        at = _blanks(text, at)
    return blocks


def _header(text: str, start: int, counts: dict[KeyPath, int]) -> Block:
    is_array = text.startswith("[[", start)
    brackets = 2 if is_array else 1
    key, _, at = _key(text, start + brackets)
    path: KeyPath = ()
    for index, part in enumerate(key):
        path = (*path, part)
        if index < len(key) - 1 and path in counts:
            path = (*path, counts[path] - 1)
    if is_array:
        number = counts.get(path, 0)
        counts[path] = number + 1
        path = (*path, number)
    rest = _REST.match(text, at + brackets)
    assert rest
    return Block(path, is_array, _line_start(text, start), rest.end())


def _pair(text: str, start: int, table: KeyPath) -> Pair:
    key, name, at = _key(text, start)
    value = _gap(text, at + 1)
    value_end = _value_end(text, value)
    path = (*table, *key)
    rest = _REST.match(text, value_end)
    # Inside an inline table a comma or a brace follows.
    gap, end = (len(rest[1]), rest.end()) if rest else (0, value_end)
    comment = value_end + gap if rest and rest[2] else value_end
    comment_end = rest.end(2) if rest and rest[2] else value_end
    items = tuple(_items(text, value, path)) if text[value] == "{" else ()
    return Pair(path, start, name, value, value_end, comment, comment_end, end, items)


def _items(text: str, at: int, table: KeyPath) -> Iterator[Pair]:
    at = _blanks(text, at + 1)
    while text[at] != "}":
        pair = _pair(text, at, table)
        yield pair
        at = _blanks(text, pair.value_end)
        if text[at] == ",":
            at = _blanks(text, at + 1)


def _key(text: str, at: int) -> tuple[tuple[str, ...], int, int]:
    """The key at or behind ``at``, where its last part begins, and what follows the blanks after
    it."""
    parts: list[str] = []
    while True:
        at = _gap(text, at)
        found = _PART.match(text, at)
        assert found
        parts.append(_unquoted(found[0]))
        name, at = at, _gap(text, found.end())
        if text[at] != ".":
            return tuple(parts), name, at
        at += 1


def _value_end(text: str, at: int) -> int:
    if text[at] in "\"'":
        string = _STRING.match(text, at)
        assert string
        return string.end()
    if text[at] not in "[{":
        plain = _PLAIN.match(text, at)
        assert plain
        return at + len(plain[0].rstrip(" \t"))
    depth = 0
    for token in _NESTED.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    raise AssertionError("a valid TOML closes its brackets")


def _blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    assert blanks
    return blanks.end()


def _gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    assert gap
    return gap.end()


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _unquoted(part: str) -> str:
    return next(iter(tomllib.loads(f"{part} = 0"))) if part[0] in "\"'" else part
