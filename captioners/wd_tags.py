"""The words of the WD taggers: which there are, how they are spelled, which are said."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..core.errors import WizardError
from ..core.text import printable

if TYPE_CHECKING:
    import numpy as np

GENERAL, CHARACTER, RATING = 0, 4, 9
"""Danbooru's numbers for what a tag is about; a model knows no others."""
_COLUMNS = ("name", "category")
_WORD = re.compile(r"[^\W_]{2}")
_SERIES = re.compile(r"(.+)_\(([^()]+)\)")


class TagListError(WizardError):
    """The list of a tagger's words cannot be read, or does not belong to its model."""


@dataclass(frozen=True)
class Tag:
    """What one number of the model's answer stands for."""

    name: str
    """As published, with underscores."""
    category: int


def read_tags(path: Path) -> list[Tag]:
    """The rows of a ``selected_tags.csv``, one for each number of the model's answer, in its order.
    Raises TagListError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if not {*_COLUMNS} <= {*header}:
                raise _damaged(path, f"its first line does not name {' and '.join(_COLUMNS)}")
            name, category = (header.index(column) for column in _COLUMNS)
            tags = [_tag(row, name, category, path, reader.line_num) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, str(error)) from error
    if not tags:
        raise _damaged(path, "it lists no tags")
    return tags


def _tag(row: list[str], name: int, category: int, path: Path, line: int) -> Tag:
    cells = row[name : name + 1] + row[category : category + 1]
    if len(cells) < 2 or not cells[1].strip().isdecimal() or not cells[0].strip():
        raise _damaged(path, f"line {line} has no {' and '.join(_COLUMNS)}")
    if printable(cells[0]) != cells[0]:
        raise _damaged(path, f"line {line} has a name that no caption can hold")
    return Tag(cells[0].strip(), int(cells[1]))


def _damaged(path: Path, why: str) -> TagListError:
    return TagListError(
        "The tagger's list of tags cannot be read",
        f"{path}: {why}",
        "Get the model's selected_tags.csv again.",
    )


def spaced(name: str) -> str:
    """A tag with spaces for underscores. Faces such as ``^_^`` and ``o_o``, where neither side of
    the underscore is a word, stay as they are."""
    left, mark, right = name.partition("_")
    is_face = mark and "_" not in right and not _WORD.search(left) and not _WORD.search(right)
    return name if is_face else name.replace("_", " ")


def same(text: str) -> str:
    """Equal for all spellings of a tag that a person may type."""
    return " ".join(text.replace("_", " ").split()).casefold()


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Which tags are said, and in which order."""

    general_threshold: float
    character_threshold: float
    replace_underscores: bool = True
    excluded: Sequence[str] = ()
    first: Sequence[str] = ()
    order: Literal["confidence", "published"] = "confidence"
    characters_first: bool = False
    series_apart: bool = False
    rating: Literal["off", "first", "last"] = "off"


class TagChooser:
    """From the numbers of a model's answer to a caption.

    A tag is said from its threshold on. Confidences that are equal keep the published order.
    """

    def __init__(self, tags: Sequence[Tag], wishes: Wishes) -> None:
        self._wishes = wishes
        self._excluded = {same(name) for name in wishes.excluded}
        self._words = [self._spelled(tag) for tag in tags]
        self._places = {
            category: [place for place, tag in enumerate(tags) if tag.category == category]
            for category in (GENERAL, CHARACTER, RATING)
        }

    def caption(self, confidences: np.ndarray) -> str:
        """``confidences`` (tags,): between 0 and 1, one for each tag."""
        wishes = self._wishes
        general = self._above(confidences, GENERAL, wishes.general_threshold)
        characters = self._above(confidences, CHARACTER, wishes.character_threshold)
        rating = self._rating(confidences)
        places = characters + general if wishes.characters_first else general + characters
        places = [*places, *rating] if wishes.rating == "last" else [*rating, *places]
        words = [word for place in places for word in self._words[place]]
        return ", ".join(self._ordered(words))

    def _above(self, confidences: np.ndarray, category: int, threshold: float) -> list[int]:
        places = self._places[category]
        # Compared as an array: 0.35 means the float32 next to it, as the model's numbers are.
        said = [
            place
            for place, yes in zip(places, confidences[places] >= threshold, strict=True)
            if yes
        ]
        if self._wishes.order == "confidence":
            said.sort(key=lambda place: -confidences[place])
        return said

    def _rating(self, confidences: np.ndarray) -> list[int]:
        places = self._places[RATING]
        if self._wishes.rating == "off" or not places:
            return []
        return [max(places, key=lambda place: confidences[place])]

    def _ordered(self, words: list[str]) -> list[str]:
        """Those that are wished first in front, and each once."""
        by_sameness = {same(word): word for word in words}
        wanted = [
            by_sameness[key] for name in self._wishes.first if (key := same(name)) in by_sameness
        ]
        return list(dict.fromkeys([*wanted, *words]))

    def _spelled(self, tag: Tag) -> tuple[str, ...]:
        """What is said for a tag; nothing for one that is excluded."""
        names = (tag.name,)
        series = _SERIES.fullmatch(tag.name) if tag.category == CHARACTER else None
        if self._wishes.series_apart and series:
            names = series.groups()
        if same(tag.name) in self._excluded:
            return ()
        words = (spaced(name) if self._wishes.replace_underscores else name for name in names)
        return tuple(word for word in words if same(word) not in self._excluded)
