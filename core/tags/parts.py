"""A caption cut into its tags, so that one can be changed and every other byte stays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from ..config import CaptionOptions


@lru_cache(1 << 16)
def key_of(tag: str) -> str:
    """What makes two tags the same: not their case and not how many blanks are in them, as CLIP's
    tokenizer ignores both. An underscore is no blank: the tokenizer sees it."""
    return " ".join(unicodedata.normalize("NFC", tag).casefold().split())


@dataclass(frozen=True)
class Grammar:
    """What stands between the tags of a set's captions, and what is never cut."""

    separator: str = ","
    marks: tuple[str, ...] = ()
    """Between groups of tags; an edit of tags never takes one out."""
    has_choices: bool = False
    """Whether lines are captions of their own and ``{a, b|c}`` is one tag."""

    @classmethod
    def of(cls, options: CaptionOptions) -> Grammar:
        """The one that training follows."""
        marks = (options.keep_tokens_separator, options.secondary_separator)
        used = tuple(mark for mark in marks if mark and mark != options.separator)
        return cls(options.separator, used, options.wildcards)

    def parts(self, line: str) -> Parts:
        """Cut a caption, or one line of several."""
        if "{" in line and self.has_choices:
            found = self._cut(line)
        elif self.marks:
            found = self._between.split(line)
        else:
            pieces = line.split(self.separator)
            return Parts(pieces, [self.separator] * (len(pieces) - 1), self)
        return Parts(found[::2], found[1::2], self)

    def lines(self, text: str) -> list[str]:
        """What is trained by itself: the lines where they are alternatives, or all of it."""
        return text.split("\n") if self.has_choices else [text]

    def tags(self, text: str) -> list[str]:
        """All tags of a caption in their order, as they are written."""
        plain = not (self.has_choices or self.marks)
        found = (
            text.split(self.separator)
            if plain
            else [piece for line in self.lines(text) for piece in self.parts(line).pieces]
        )
        return [tag for piece in found if (tag := piece.strip())]

    def change(self, text: str, each: Callable[[Parts], object]) -> str:
        """``text`` after ``each`` has changed the parts of every line that has tags; "" when none
        is left."""
        lines: list[str] = []
        for line in self.lines(text):
            parts = self.parts(line)
            if parts.has_tags:
                each(parts)
                line = parts.text if parts.has_tags else ""
            lines.append(line)
        return "\n".join(line for line in lines if line) if self.has_choices else lines[0]

    @property
    def comma(self) -> str:
        """What a new tag is joined with."""
        return self.separator if self.separator[-1].isspace() else f"{self.separator} "

    @cached_property
    def _between(self) -> re.Pattern[str]:
        # The longer first: one may begin with another.
        marks = sorted({self.separator, *self.marks}, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, marks))})")

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile(rf"\{{\{{|\}}\}}|\{{[^{{}}]+\}}|{self._between.pattern}")

    def _cut(self, line: str) -> list[str]:
        found: list[str] = []
        begin = 0
        for hit in self._whole.finditer(line):
            if hit[1]:
                found += [line[begin : hit.start()], hit[1]]
                begin = hit.end()
        return [*found, line[begin:]]


@dataclass
class Parts:
    """The pieces of a line, blanks and all, and what stands between each and the next. Its methods
    change it."""

    pieces: list[str]
    between: list[str]
    grammar: Grammar = field(default_factory=Grammar)

    @property
    def text(self) -> str:
        """All of it again."""
        if not self.between:
            return self.pieces[0]
        joined = [text for pair in zip(self.pieces, self.between, strict=False) for text in pair]
        return "".join([*joined, self.pieces[-1]])

    @property
    def has_tags(self) -> bool:
        """Whether there is any."""
        return any(piece.strip() for piece in self.pieces)

    def keys(self) -> list[str]:
        """What each piece is compared by; empty where there is none."""
        return [key_of(piece) for piece in self.pieces]

    def places(self, keys: Collection[str] | None = None) -> list[int]:
        """Where tags are, or those of ``keys``."""
        if keys is None:
            return [place for place, piece in enumerate(self.pieces) if piece.strip()]
        return [place for place, piece in enumerate(self.pieces) if key_of(piece) in keys]

    def write(self, place: int, tag: str) -> None:
        """Put another tag in one's place, between the same blanks."""
        old = self.pieces[place]
        bare = old.strip()
        self.pieces[place] = old.replace(bare, tag, 1) if bare else tag

    def drop(self, places: Sequence[int]) -> None:
        """Take tags out, each with the separator before it, or else the one after it."""
        separator = self.grammar.separator
        for place in sorted(places, reverse=True):
            if place and self.between[place - 1] == separator:
                # What stood after the last one is the line's end, and goes with it.
                del self.pieces[place], self.between[place - 1]
            elif place < len(self.between) and self.between[place] == separator:
                following = self.pieces[place + 1]
                self.pieces[place + 1] = _blanks(self.pieces[place]) + following.lstrip()
                del self.pieces[place], self.between[place]
            else:
                self.pieces[place] = ""

    def put_first(self, tags: Sequence[str]) -> None:
        """Put new tags before all others."""
        for tag in reversed(tags):
            if not self.pieces[0].strip():
                before_mark = bool(self.between) and self.between[0] != self.grammar.separator
                self.pieces[0] = tag + " " * before_mark
                continue
            lead = _blanks(self.pieces[0])
            blank = self.grammar.comma[len(self.grammar.separator) :]
            self.pieces[0] = blank + self.pieces[0].lstrip()
            self.pieces.insert(0, lead + tag)
            self.between.insert(0, self.grammar.separator)

    def put_last(self, tags: Sequence[str]) -> None:
        """Put new tags behind all others."""
        blank = self.grammar.comma[len(self.grammar.separator) :]
        for tag in tags:
            if not self.pieces[-1].strip():
                self.pieces[-1] = (blank if self.between else "") + tag
                continue
            self.pieces.append(blank + tag)
            self.between.append(self.grammar.separator)

    def reorder(self, ranks: Mapping[str, int]) -> None:
        """Put the tags in the order of ``ranks``, by key, those that have none behind them and as
        they were; no tag crosses a mark."""
        begin, behind = 0, len(ranks)
        keys = self.keys()
        found = [ranks.get(key, behind) if key else -1 for key in keys]
        for end, mark in enumerate([*self.between, ""]):
            if mark == self.grammar.separator:
                continue
            group = [place for place in range(begin, end + 1) if found[place] >= 0]
            ordered = sorted(group, key=found.__getitem__)
            if ordered != group:
                tags = [self.pieces[place].strip() for place in ordered]
                for place, tag in zip(group, tags, strict=True):
                    self.write(place, tag)
            begin = end + 1


def _blanks(piece: str) -> str:
    """Those that a piece begins with."""
    return piece[: len(piece) - len(piece.lstrip())]
