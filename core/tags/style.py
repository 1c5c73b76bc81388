"""Whether captions are tags or sentences, and whether a set is of one kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .entries import Entry
from .parts import Grammar

Kind = Literal["tags", "sentences", "mixed", "none"]
_LONG = 6
"""Words; the longest tags of the boorus that matter have five."""
_JOINS = re.compile(r"\b(an?|the|is|are|was|were|has|his|her|their|its)\b", re.IGNORECASE)
_SAME = 0.95
"""The share from which on a set is of one kind."""


@dataclass(frozen=True)
class Style:
    """What the captions of a set are."""

    kind: Kind
    tags: int
    """How many are lists of tags."""
    sentences: int
    few: tuple[Entry, ...] = ()
    """Those that are not as most are."""

    @property
    def words(self) -> str:
        """As one would say it."""
        if self.kind == "mixed":
            return f"{self.tags} of them lists of tags, {self.sentences} sentences"
        return {"tags": "lists of tags", "sentences": "sentences", "none": "no captions"}[self.kind]

    @property
    def advice(self) -> str:
        """What to do about it; empty when all is well."""
        if self.kind == "mixed":
            return (
                "Let them be of one kind: tags for anime models, sentences for photographs. "
                f"{_told(self.few)}"
            )
        if self.kind == "sentences":
            return "What is counted is what stands between commas; sentences are edited one by one."
        return ""


def is_sentence(tags: Sequence[str]) -> bool:
    """Whether more of a caption's words are in phrases than in tags."""
    phrases = words = 0
    for tag in tags:
        count, is_phrase = _judged(tag)
        words += count
        phrases += count if is_phrase else 0
    return 2 * phrases > words


@lru_cache(1 << 16)
def _judged(tag: str) -> tuple[int, bool]:
    """(how many words; whether they are a phrase and no tag)."""
    count = len(tag.split())
    return count, count >= _LONG or (count >= 3 and _JOINS.search(tag) is not None)


def style_of(entries: Sequence[Entry], grammar: Grammar) -> Style:
    """Judge ``entries``; those without a caption do not count."""
    kinds: tuple[list[Entry], list[Entry]] = ([], [])
    for entry in entries:
        if found := grammar.tags(entry.caption):
            kinds[is_sentence(found)].append(entry)
    tags, sentences = map(len, kinds)
    total = tags + sentences
    few = kinds[tags > sentences]
    if not total:
        return Style("none", 0, 0)
    if max(tags, sentences) < _SAME * total:
        return Style("mixed", tags, sentences, tuple(few))
    return Style("tags" if tags > sentences else "sentences", tags, sentences, tuple(few))


def _told(few: Sequence[Entry], limit: int = 3) -> str:
    names = ", ".join(entry.path.name for entry in few[:limit])
    more = f" and {len(few) - limit} more" if len(few) > limit else ""
    return f"The fewer: {names}{more}."
