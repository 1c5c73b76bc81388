"""Captions with a choice in them: ``{red|blue}``, or a line of several."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..randomness import choice, key

_CHOICE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
Pick = Callable[[Sequence[str], int], str]
"""One of several texts, given which choice of the caption it is, from 0."""


def by_key(draw: int) -> Pick:
    """Each choice its own draw, by the key ``draw`` and its place alone."""
    return lambda texts, place: choice(texts, key(draw, "choice", place))


def longest(texts: Sequence[str], place: int) -> str:
    """The longest: for whether a caption fits."""
    return max(texts, key=len)


def one_line(text: str, pick: Pick) -> str:
    """A line of ``text``; empty lines are none."""
    lines = lines_of(text)
    return pick(lines, 0) if lines[1:] else "".join(lines)


def lines_of(text: str) -> list[str]:
    """The lines that are not empty, without blanks around them."""
    return [line for part in text.splitlines() if (line := part.strip())]


def chosen(text: str, pick: Pick, first: int = 0) -> str:
    """``text`` with one of each ``{a|b}``; ``{{`` and ``}}`` are braces as written. A brace that
    nothing closes stays. ``first`` is the number of the first choice."""
    place = first

    def one(found: re.Match[str]) -> str:
        nonlocal place
        if found[1] is None:
            return found[0][0]
        place += 1
        return pick(found[1].split("|"), place - 1)

    return _CHOICE.sub(one, text)


def has_choice(text: str) -> bool:
    """Whether there is a ``{a|b}`` in it."""
    return any("|" in (found[1] or "") for found in _CHOICE.finditer(text))
