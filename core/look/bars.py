"""Uniform bars and borders around a picture, as films and screenshots have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_EVEN = 3.0
"""Of 255: how much the grey values of a line vary that is one colour but for JPEG's noise."""
_STEP = 20.0
_SKIPPED = 3
"""Lines behind a bar in which scaling and JPEG mix it with the picture."""
_STRAIGHT = 0.5
"""Of the first line behind a bar, the share of pixels that are of another colour: a subject on
plain ground has no straight edge."""
_LEAST, _MOST = 0.015, 0.45


@dataclass(frozen=True)
class Bars:
    """How wide they are, as shares of the picture's width (left, right) and height."""

    left: float
    top: float
    right: float
    bottom: float

    def inside(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The rectangle between them, in a picture of ``size``; never empty."""
        width, height = size
        left, top = int(width * self.left), int(height * self.top)
        right, bottom = width - int(width * self.right), height - int(height * self.bottom)
        return left, top, max(left + 1, right), max(top + 1, bottom)

    @property
    def share(self) -> float:
        """Of the picture's area."""
        return 1 - (1 - self.left - self.right) * (1 - self.top - self.bottom)


NO_BARS = Bars(0.0, 0.0, 0.0, 0.0)


def find_bars(grey: np.ndarray) -> Bars:
    """The bars of a picture, (height, width) grey values: those at opposite sides, of one colour
    and with a straight edge."""
    top, bottom = _pair(grey)
    height = grey.shape[0]
    between = grey[top : height - bottom]
    left, right = _pair(between.T)
    if not (top or left):
        return NO_BARS
    width = grey.shape[1]
    shares = (left / width, top / height, right / width, bottom / height)
    return Bars(*(round(share, 4) for share in shares))


def _pair(lines: np.ndarray) -> tuple[int, int]:
    """How many lines the bars at both ends have; (0, 0) unless there are two."""
    first, last = _bar(lines), _bar(lines[::-1])
    if not first or not last or abs(float(lines[0].mean()) - float(lines[-1].mean())) > 8:
        return 0, 0
    return first, last


def _bar(lines: np.ndarray) -> int:
    count = len(lines)
    colour = float(np.median(lines[0]))
    even = (lines.std(axis=1) < _EVEN) & (np.abs(lines.mean(axis=1) - colour) < _EVEN)
    size = count if even.all() else int(np.argmin(even))
    if not _LEAST * count <= size <= _MOST * count or size + _SKIPPED >= count:
        return 0
    behind = np.abs(lines[size + _SKIPPED] - colour) > _STEP
    return size if behind.mean() > _STRAIGHT else 0
