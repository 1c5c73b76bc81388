"""Changes to all captions of a set at once, each a function from captions to captions.

Tags are compared by `parts.key_of`. A caption that has nothing to change stays as it is to the
byte; of one that is changed, what is between the other tags stays. Pictures without a caption get
none: training gives them their concept's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ..dataset.captions import begins_with, words_before
from .entries import Entry
from .parts import Grammar, Parts, key_of
from .style import is_sentence

Each = Callable[[Parts, Entry], object]


class Edit(ABC):
    """A change that is ready to be made."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does, in a few words, as the list of what can be undone shows it."""

    @abstractmethod
    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        """What is done to each line of each of ``entries``."""


def applied(edits: Sequence[Edit], entries: Sequence[Entry], grammar: Grammar) -> tuple[Entry, ...]:
    """``entries`` after ``edits``, one after the other."""
    now = tuple(entries)
    for edit in edits:
        each = edit.each(now, grammar)
        now = tuple(_changed(entry, each, grammar) for entry in now)
    return now


def _changed(entry: Entry, each: Each, grammar: Grammar) -> Entry:
    if not entry.caption:
        return entry
    text = grammar.change(entry.caption, lambda parts: each(parts, entry))
    return entry if text == entry.caption else entry.saying(text)


@dataclass(frozen=True)
class Underscores(Edit):
    """Underscores between words become blanks; trigger words and faces such as ``^_^`` keep
    theirs."""

    @property
    def title(self) -> str:
        return "underscores to spaces"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        def one(parts: Parts, entry: Entry) -> None:
            words = {key_of(word) for word in entry.trigger_words}
            for place, piece in enumerate(parts.pieces):
                if "_" in piece and key_of(piece) not in words and not is_face(piece.strip()):
                    parts.write(place, piece.strip().replace("_", " ").strip())

        return one


def is_face(tag: str) -> bool:
    """Whether ``tag`` draws a face: no two letters or digits stand together in it."""
    return not any(a.isalnum() and b.isalnum() for a, b in pairwise(tag))


@dataclass(frozen=True)
class Replace(Edit):
    """``old`` becomes ``new``; where both are, ``new`` stays where it is."""

    old: tuple[str, ...]
    new: str

    @property
    def title(self) -> str:
        return f"{_some(self.old)} became {self.new}"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        new = key_of(self.new)
        old = frozenset(map(key_of, self.old))

        def one(parts: Parts, _: Entry) -> None:
            places = parts.places(old)
            if not places:
                return
            is_there = new not in old and bool(parts.places({new}))
            if not is_there:
                parts.write(places.pop(0), self.new)
            parts.drop(places)

        return one


@dataclass(frozen=True)
class Remove(Edit):
    """``tags`` are taken out everywhere."""

    tags: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"without {_some(self.tags)}"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        keys = frozenset(map(key_of, self.tags))
        return lambda parts, _: parts.drop(parts.places(keys))


@dataclass(frozen=True)
class KeepOnly(Edit):
    """Everything but ``tags`` and the trigger words is taken out."""

    tags: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"only {_some(self.tags)}"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        keys = set(map(key_of, self.tags))

        def one(parts: Parts, entry: Entry) -> None:
            kept = keys | {key_of(word) for word in entry.trigger_words}
            parts.drop([at for at in parts.places() if key_of(parts.pieces[at]) not in kept])

        return one


@dataclass(frozen=True)
class Add(Edit):
    """``tags`` that a caption lacks are put behind what is there, or in front of it, but after the
    trigger words."""

    tags: tuple[str, ...]
    where: Literal["front", "back"] = "back"

    @property
    def title(self) -> str:
        return f"{_some(self.tags)} added"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        def one(parts: Parts, entry: Entry) -> None:
            there = set(parts.keys())
            new = [tag for tag in self.tags if key_of(tag) not in there]
            if self.where == "back":
                parts.put_last(new)
            else:
                parts.put_first(new)
                _to_front(parts, entry.trigger_words)

        return one


@dataclass(frozen=True)
class Duplicates(Edit):
    """A tag that comes again in a caption is taken out."""

    @property
    def title(self) -> str:
        return "without duplicates"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        return lambda parts, _: _drop_repeated(parts)


@dataclass(frozen=True)
class Sort(Edit):
    """The tags of every caption in the same order, after its trigger words; sentences stay."""

    by: Literal["count", "name"] = "count"

    @property
    def title(self) -> str:
        return f"sorted by {self.by}"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        counts = Counter(
            key for entry in entries for key in {key_of(tag) for tag in grammar.tags(entry.caption)}
        )
        names = sorted(counts)
        order = names if self.by == "name" else sorted(names, key=lambda key: -counts[key])
        orders: dict[tuple[str, ...], dict[str, int]] = {}

        def one(parts: Parts, entry: Entry) -> None:
            if is_sentence(parts.pieces):
                return
            words = entry.trigger_words
            if words not in orders:
                orders[words] = _ranks((*words, *order))
            parts.reorder(orders[words])

        return one


@dataclass(frozen=True)
class First(Edit):
    """``tags``, where a caption has them, come first, after its trigger words."""

    tags: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{_some(self.tags)} first"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        keys = {key_of(tag) for tag in self.tags}

        def one(parts: Parts, entry: Entry) -> None:
            if parts.places(keys):
                _to_front(parts, (*entry.trigger_words, *self.tags))

        return one


@dataclass(frozen=True)
class TriggerWords(Edit):
    """Every caption begins with the trigger words, in their order, and has each once: ``words``,
    or, without any, those of the picture's concept."""

    words: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"trigger words first{': ' if self.words else ''}{_some(self.words)}"

    def each(self, entries: Sequence[Entry], grammar: Grammar) -> Each:
        def one(parts: Parts, entry: Entry) -> None:
            words = self.words or words_before(entry)
            ranks = _ranks(words)
            if not ranks:
                return
            if begins_with(parts.text, words, grammar.separator):
                # As tags, or as the first words of a sentence.
                _drop_repeated(parts, ranks)
                return
            if all(key in ranks or not key for key in parts.keys()):  # noqa: SIM118
                parts.pieces, parts.between = [""], []
            parts.drop(parts.places(ranks))
            parts.put_first(words)

        return one


def _drop_repeated(parts: Parts, keys: Collection[str] | None = None) -> None:
    """Take out tags, or those of ``keys``, that come again."""
    seen: set[str] = set()
    again: list[int] = []
    for place, key in enumerate(parts.keys()):
        if key in seen:
            again.append(place)
        elif key and (keys is None or key in keys):
            seen.add(key)
    parts.drop(again)


def _to_front(parts: Parts, tags: Sequence[str]) -> None:
    parts.reorder(_ranks(tags))


def _ranks(tags: Sequence[str]) -> dict[str, int]:
    return {key: rank for rank, key in enumerate(dict.fromkeys(key_of(tag) for tag in tags))}


def _some(tags: Sequence[str], limit: int = 3) -> str:
    more = f" and {len(tags) - limit} more" if len(tags) > limit else ""
    return ", ".join(tags[:limit]) + more
