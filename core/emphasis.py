"""Emphasis in prompts: ``(word)``, ``(word:1.2)``, ``[word]``, as A1111 and sd-scripts read it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

FACTOR = 1.1
"""What a pair of round brackets multiplies by, and a pair of square ones divides by."""
_HIGHEST = 100.0
"""Brackets nested without end would give numbers that no tensor holds."""
_MARKS = re.compile(r"\\[()\[\]\\]|:\s*([+-]?[0-9.]+)\s*\)|[()\[\]]")


@dataclass(frozen=True)
class Piece:
    """A part of a prompt and how strongly it counts; 1 is as usual."""

    text: str
    weight: float


def pieces(prompt: str) -> list[Piece]:
    """``prompt`` in pieces of one weight each, without the brackets and backslashes that are marks.

    Brackets nest by multiplication; a backslash before a bracket or backslash takes it as written.
    Never an error: a closing bracket or weight that nothing opened, or a weight that is no number,
    is text, and what is never closed counts to the end.
    """
    found: list[tuple[str, float]] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def close(kind: str, factor: float) -> None:
        start = opened[kind].pop()
        found[start:] = [(text, weight * factor) for text, weight in found[start:]]

    at = 0
    for mark in _MARKS.finditer(prompt):
        if at < mark.start():
            found.append((prompt[at : mark.start()], 1.0))
        at, text = mark.end(), mark[0]
        if text in opened:
            opened[text].append(len(found))
        elif text == "]" and opened["["]:
            close("[", 1 / FACTOR)
        elif text == ")" and opened["("]:
            close("(", FACTOR)
        elif mark[1] is not None and opened["("] and (weight := _number(mark[1])) is not None:
            close("(", weight)
        elif mark[1] is not None and opened["("]:
            # Only the number is nonsense: the bracket closes all the same.
            found.append((text[:-1], 1.0))
            close("(", FACTOR)
        else:
            found.append((text[1:] if text.startswith("\\") else text, 1.0))
    found.append((prompt[at:], 1.0))
    for kind, factor in (("(", FACTOR), ("[", 1 / FACTOR)):
        while opened[kind]:
            close(kind, factor)
    return _joined(found)


def has_emphasis(prompt: str) -> bool:
    """Whether any part of it counts more or less than usual."""
    return any(piece.weight != 1 for piece in pieces(prompt))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _joined(found: list[tuple[str, float]]) -> list[Piece]:
    """Neighbours of one weight as one piece; one empty piece for an empty prompt."""
    joined: list[Piece] = []
    for text, weight in found:
        weight = min(max(weight, -_HIGHEST), _HIGHEST)
        if joined and joined[-1].weight == weight:
            joined[-1] = Piece(joined[-1].text + text, weight)
        elif text:
            joined.append(Piece(text, weight))
    return joined or [Piece("", 1.0)]
