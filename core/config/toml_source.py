"""A TOML as a person wrote it: read safely, with the line of every key.

`tomllib` decides what is valid and what it means, but forgets where a key stood; `line_index` walks
over text that `tomllib` has accepted and only notes the lines.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from ..errors import Problem, ProblemsError, WizardError

MAX_BYTES = 1_000_000
"""No configuration written by a person comes near it."""
KeyPath = tuple[str | int, ...]
"""``("dataset", "concepts", 0, "folder")``."""

_DEEP_KEY = re.compile(r"^[ \t]*\[{0,2}[ \t]*(?:[\w-]+[ \t]*\.[ \t]*){32}", re.MULTILINE)
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_REMEDIES = (
    (
        "Invalid value",
        'Text stands in quotes: name = "mika"; numbers and true or false without.',
    ),
    ("Unescaped", "A backslash in text is written twice, or the text put in single quotes."),
    ("Invalid hex", "A backslash in text is written twice, or the text put in single quotes."),
    ("Expected '=' after a key", "A line is: key = value. A comment begins with #."),
    ("Invalid statement", "A line is: key = value, or [section]. A comment begins with #."),
    ("Cannot overwrite a value", "The key is there twice: keep one."),
    ("Cannot declare", "The section is there twice: put its keys under one heading."),
    ("Illegal character", "A quote is missing, or the file is not plain text."),
)


def read(path: Path) -> str:
    """The text of a file that a person named; nothing that could block, or fill the memory.

    Raises WizardError when it is not there, not a regular file, too large or not UTF-8.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO waits for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "not a file"
            raise WizardError("Cannot read the configuration", f"{path} is {what}.", _NAME_A_FILE)
        data = _up_to(descriptor, MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise WizardError(
            "Cannot read the configuration",
            f"{path} is larger than {MAX_BYTES // 1000} KB, which no TOML of a run is.",
            _NAME_A_FILE,
        )
    return decode(data, path)


def decode(data: bytes, path: Path) -> str:
    """``data`` as UTF-8, with or without a byte order mark.

    Raises ProblemsError with the line of the first byte that is not.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemsError(
            f"{path.name} is not UTF-8",
            [Problem(f"the byte 0x{data[error.start]:02x} is not UTF-8", line=line)],
            "Save the file as UTF-8 in your editor.",
        ) from error


def parse(text: str) -> dict[str, Any]:
    """``text`` as TOML. Raises ProblemsError with the line of the first mistake."""
    if _DEEP_KEY.search(text):
        # tomllib's work grows with the square of a key's depth: seconds, then hours.
        raise _syntax(Problem("keys are nested too deeply"))
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(_problem(str(error), text)) from error
    except RecursionError as error:
        raise _syntax(Problem("values are nested too deeply")) from error
    except (ValueError, OverflowError) as error:
        # An integer of more digits than Python converts.
        raise _syntax(Problem("a number is too long")) from error


def line_index(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of each key of a valid TOML. Empty when it is nested absurdly deep."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    try:
        scanner.document()
    except (RecursionError, IndexError):
        return {}
    return scanner.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of ``path``, or of the closest thing around it that has one."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _up_to(descriptor: int, most: int) -> bytes:
    data = b""
    while len(data) < most and (block := os.read(descriptor, most - len(data))):
        data += block
    return data


_NAME_A_FILE = "Name a TOML file that is there, or begin a new one."


def _unreadable(path: Path, error: OSError | ValueError) -> WizardError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return WizardError("Cannot read the configuration", f"{path}: {why}", _NAME_A_FILE)


def _syntax(problem: Problem) -> ProblemsError:
    return ProblemsError(
        "The configuration is not valid TOML", [problem], "Mend it in an editor first."
    )


def _problem(message: str, text: str) -> Problem:
    place = _PLACE.search(message)
    line = None
    if place:
        message = message[: place.start()]
        line = int(place[1]) if place[1] else text.count("\n") + 1
    remedy = next((remedy for start, remedy in _REMEDIES if message.startswith(start)), "")
    return Problem(f"{message}." if remedy else message, line=line, remedy=remedy)


class _Scanner:
    """Walks over a valid TOML; trusts it to be one."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.at = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self._skip("\n")
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        path = self._known(self._key())
        self.at += 2 if is_array else 1
        for end in range(1, len(path)):
            self._note(path[:end])
        if is_array:
            number = self.counts.get(path, 0)
            self.counts[path] = number + 1
            self._note(path)
            path = (*path, number)
        self._note(path)
        return path

    def _known(self, key: KeyPath) -> KeyPath:
        """A header's key with the numbers of the list entries that it is in."""
        path: KeyPath = ()
        for index, part in enumerate(key):
            path = (*path, part)
            if index < len(key) - 1 and path in self.counts:
                path = (*path, self.counts[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self.line
        key = self._key()
        for end in range(1, len(key) + 1):
            self.lines.setdefault((*table, *key[:end]), start)
        self.at += 1  # the equals sign
        self._skip()
        self._value((*table, *key))

    def _value(self, path: KeyPath) -> None:
        char = self.text[self.at]
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline_table(path)
        else:
            while self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        number = 0
        while True:
            self._skip("\n,")
            if self.text[self.at] == "]":
                break
            self._note((*path, number))
            self._value((*path, number))
            number += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._skip("\n,")
            if self.text[self.at] == "}":
                break
            self._pair(path)
        self.at += 1

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip()
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                parts.append(_unquoted(self.text[start : self.at]))
            else:
                start = self.at
                while self.text[self.at] not in ".=] \t\n":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._skip()
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def _string(self) -> None:
        quote = self.text[self.at]
        is_long = self.text.startswith(quote * 3, self.at)
        end = quote * 3 if is_long else quote
        self.at += len(end)
        while not self.text.startswith(end, self.at):
            if self.text[self.at] == "\\" and quote == '"':
                self.at += 1
            self.line += self.text[self.at] == "\n"
            self.at += 1
        self.at += len(end)
        while is_long and self.text[self.at] == quote:
            self.at += 1  # up to two quotes may stand before the closing three

    def _skip(self, also: str = "") -> None:
        """Over blanks, comments and the characters of ``also``."""
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                self.at = self.text.index("\n", self.at)
            elif char in " \t" or char in also:
                self.line += char == "\n"
                self.at += 1
            else:
                return

    def _note(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.line)


def _unquoted(text: str) -> str:
    return next(iter(tomllib.loads(f"{text} = 0")))
