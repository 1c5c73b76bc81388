"""Captions of many pictures in one file: sd-scripts' metadata JSON, and JSONL as data sets on the
hub have it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .captions import SIZE_LIMIT, Caption, CaptionError
from .folders import open_regular
from .wildcards import lines_of

FOUND_BY_ITSELF = "metadata.jsonl"
"""Read in a folder of pictures without being named."""
TABLE_LIMIT = 64 << 20
"""Bytes; a hundred thousand long captions take half of it."""
_NAMES = ("file_name", "file", "image", "path")
_TEXTS = ("caption", "text", "prompt")
_SHOWN = 5


@dataclass(frozen=True)
class CaptionTable:
    """A file's captions by the names of their pictures, as it writes them but with slashes."""

    path: Path
    texts: Mapping[str, str]
    bad: tuple[str, ...] = ()
    """What could not be used, and where."""
    _by_end: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By folder and file name, of pictures that are named with another machine's path."""

    def name_of(self, picture: Path) -> str | None:
        """The name that ``picture`` has in the table: its path, whole or from the table's folder,
        or its file name; each with or without the extension."""
        names = [str(picture), _relative(picture, self.path.parent), picture.name]
        for name in names:
            for tried in (name, _without_extension(name)):
                if tried and tried in self.texts:
                    return tried
        return self._by_end.get(_end(str(picture)))

    def caption(self, name: str, *, lines: bool = False) -> Caption:
        """The caption under a name; as `captions.read_caption` gives it."""
        return Caption(("\n" if lines else " ").join(lines_of(self.texts[name])), str(self.path))


def read_table(path: Path, separator: str) -> CaptionTable:
    """Read a file of captions; ``separator`` stands between a caption and tags.

    Known are an object of texts or of objects by name, a list of objects, and an object on each
    line (``.jsonl``). Raises CaptionError when nothing of it can be read.
    """
    text = _text(path)
    texts: dict[str, str] = {}
    bad: list[str] = []
    for where, name, value in _entries(path, text):
        try:
            name = _name(name, value)
            found = _caption(value, separator)
            if name in texts and texts[name] != found:
                bad.append(f"{where}: {name} was there before; the later one counts")
            texts[name] = found
        except ValueError as error:
            bad.append(f"{where}: {error}")
    if not texts:
        raise CaptionError(f"has no captions in it{_told(bad)}")
    ends: dict[str, str] = {}
    for name in texts:
        if name.startswith("/") or name[1:3] == ":/":
            ends[_end(name)] = name
    return CaptionTable(path, texts, tuple(bad), ends)


def told(bad: tuple[str, ...]) -> str:
    """The first few of what could not be used."""
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return "; ".join(bad[:_SHOWN]) + more


def _told(bad: list[str]) -> str:
    return f" ({told(tuple(bad))})" if bad else ""


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(TABLE_LIMIT + 1)
    except FileNotFoundError:
        raise CaptionError("is not there") from None
    except OSError as error:
        raise CaptionError(f"cannot be read: {error.strerror or error}") from error
    if len(data) > TABLE_LIMIT:
        raise CaptionError(f"is larger than {TABLE_LIMIT >> 20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptionError(f"is not UTF-8 (byte {error.start})") from None


def _entries(path: Path, text: str) -> Iterator[tuple[str, str, Any]]:
    """Where, the name if it stands outside the entry, and the entry."""
    if path.suffix.lower() == ".jsonl":
        # Not splitlines: JSON may hold the other ends of lines inside a text.
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"line {number}", "", _parsed(line, _Bad)
        return
    whole = _parsed(text, CaptionError)
    if isinstance(whole, Mapping):
        for name, value in whole.items():
            yield repr(name)[:80], name, value
    elif isinstance(whole, list):
        for number, value in enumerate(whole, start=1):
            yield f"entry {number}", "", value
    else:
        raise CaptionError("is neither an object nor a list")


class _Bad(str):
    """Why a line is no entry."""


def _parsed(text: str, failed: type[CaptionError] | type[_Bad]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        at = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        if failed is _Bad:
            return _Bad(f"is not JSON ({why})")
        raise CaptionError(f"is not JSON ({why}{at})") from None


def _name(name: str, value: Any) -> str:
    """Raises ValueError with what is wrong."""
    if isinstance(value, _Bad):
        raise ValueError(str(value))
    if not name and isinstance(value, Mapping):
        name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), "")
    if not name:
        raise ValueError(f"has no {_NAMES[0]}" if isinstance(value, Mapping) else "is no object")
    name = _clean(name).replace("\\", "/")
    return name.removeprefix("./")


def _caption(value: Any, separator: str) -> str:
    """The caption, then the tags, as sd-scripts joins them. Raises ValueError."""
    if not isinstance(value, Mapping):
        parts = [value]
    else:
        caption = next((value[key] for key in _TEXTS if value.get(key) is not None), None)
        parts = [part for part in (caption, value.get("tags")) if part is not None]
    if not parts:
        raise ValueError("has no caption, text or tags")
    texts = [_one(part, separator) for part in parts]
    return f"{separator.rstrip()} ".join(text for text in texts if text)


def _one(value: Any, separator: str) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = f"{separator.rstrip()} ".join(value)
    if not isinstance(value, str):
        raise ValueError("its caption is no text")
    if len(value) > SIZE_LIMIT:
        raise ValueError(f"{len(value) / 1e6:.1f} MB is too long for a caption")
    if "\x00" in value:
        raise ValueError("has zero bytes in it")
    return _clean(value).strip()


def _clean(text: str) -> str:
    # JSON can write halves of characters, which no encoding has.
    return text.encode("utf-8", "replace").decode("utf-8")


def _relative(picture: Path, folder: Path) -> str:
    relative = os.path.relpath(picture, folder)
    return PurePosixPath(relative).as_posix()


def _without_extension(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and "/" not in ending else ""


def _end(name: str) -> str:
    return "/".join(name.split("/")[-2:])
