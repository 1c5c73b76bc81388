"""Completing a path as it is typed: what lies in its folder, and what of that fits.

Listing may take long or, on a network folder that has gone, for ever: it belongs into a thread.
Matching takes microseconds whatever the folder's size: it may be done at each key.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

_LAST = "\U0010ffff"
_MOST_LOOKED_AT = 5000


@dataclass(frozen=True)
class Entry:
    """Something that a path can go on with."""

    name: str
    is_folder: bool

    @property
    def text(self) -> str:
        """As it comes into the path: a folder with the slash that leads into it."""
        return f"{self.name}/" if self.is_folder else self.name


class Entries:
    """What lies in a folder, found by how it begins, in whatever case."""

    def __init__(self, entries: list[Entry]) -> None:
        groups = [[item for item in entries if item.is_folder is kind] for kind in (True, False)]
        self._groups = [sorted(group, key=_folded) for group in groups]
        self._keys = [[_folded(item) for item in group] for group in self._groups]

    def matching(self, begun: str, limit: int) -> tuple[list[Entry], int]:
        """The first ``limit`` entries that begin with ``begun``, folders first, and how many there
        are in all. Hidden ones only where ``begun`` asks for them."""
        found: list[Entry] = []
        total = 0
        for group, keys in zip(self._groups, self._keys, strict=True):
            for low, high in _ranges(keys, begun.casefold()):
                found += group[low : min(high, low + limit)]
                total += high - low
        return found[:limit], total


@dataclass(frozen=True)
class Begun:
    """A path that is being typed: ``head`` + ``begun`` is its text, ``folder`` what ``head``
    means."""

    head: str
    begun: str
    folder: Path


def begun(text: str, base: Path) -> Begun | None:
    """What is to be looked for to complete ``text``, relative paths counting from ``base``; None
    where nothing can be: for ``embedded:`` and what is no path at all."""
    if not text.isprintable() or text.startswith("embedded:"):
        return None
    head, slash, tail = text.rpartition("/")
    head += slash
    try:
        return Begun(head, tail, base / Path(head).expanduser())
    except RuntimeError:
        return None


def list_entries(folder: Path, endings: tuple[str, ...]) -> Entries:
    """The folders in ``folder``, and its files with one of ``endings``; empty for what cannot be
    read. Names that no path in a TOML may have (control characters, broken encodings) are left
    out."""
    found: list[Entry] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.isprintable():
                    continue
                if _is_folder(entry):
                    found.append(Entry(entry.name, True))
                elif endings and entry.name.lower().endswith(endings):
                    found.append(Entry(entry.name, False))
    except OSError:
        return Entries([])
    return Entries(found)


def pictures_text(folder: Path) -> str:
    """How many pictures lie directly in a folder, as far as that is told quickly: ``12 pictures``,
    ``5000+``; empty when there are none."""
    # With Pillow behind it; Home is painted without.
    from ...core.dataset.images import is_picture_name
    from ...core.dataset.masks import mask_names

    names: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for looked_at, entry in enumerate(entries):
                if looked_at >= _MOST_LOOKED_AT:
                    return f"{len(names)}+ pictures" if names else ""
                if not entry.name.startswith(".") and is_picture_name(entry.name):
                    names.append(entry.name)
    except OSError:
        return ""
    count = len(names) - len(mask_names(names))
    return f"{count} picture{'' if count == 1 else 's'}" if count else ""


def _ranges(keys: list[str], begun: str) -> list[tuple[int, int]]:
    """Where in the sorted ``keys`` those are that begin with ``begun``."""
    if begun:
        return [(bisect_left(keys, begun), bisect_left(keys, begun + _LAST))]
    # The hidden lie together, as their names begin with the same character.
    return [(0, bisect_left(keys, ".")), (bisect_left(keys, "." + _LAST), len(keys))]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _folded(entry: Entry) -> str:
    return entry.name.casefold()
