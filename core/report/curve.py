"""A curve as SVG: the band between lowest and highest, and the smoothed line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ..run.history import Column, Series
from ..text import printable

_WIDTH = 900
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 24
_MOST_COLUMNS, _BAND_COLUMNS = 400, 100
_MOST_MARKS = 24


def curve(
    series: Series,
    epochs: Sequence[tuple[int, int]],
    name: str,
    *,
    height: int = 260,
    smooth: bool = True,
) -> str:
    """``series`` over its steps with the begin of each epoch marked; empty for an empty series.
    ``smooth`` for what is noisy: the line is the smoothed one, the band behind it the raw."""
    columns = series.columns(_MOST_COLUMNS)
    if not columns:
        return ""
    low, high = min(item.low for item in columns), max(item.high for item in columns)
    if high <= low:
        low, high = low - abs(low) / 2 - 1e-12, high + abs(high) / 2 + 1e-12
    first, last = series.first_step, max(series.last_step, series.first_step + 1)

    def x(step: float) -> float:
        return _LEFT + (step - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def points(columns: Sequence[Column], values: Callable[[Column], float]) -> str:
        return " ".join(
            f"{x((item.first_step + item.last_step) / 2):.1f},"
            f"{_TOP + (high - values(item)) / (high - low) * (height - _TOP - _BOTTOM):.1f}"
            for item in columns
        )

    wide = series.columns(_BAND_COLUMNS) if smooth else []
    upper, lower = points(wide, lambda item: item.high), points(wide[::-1], lambda item: item.low)
    line = points(columns, lambda item: item.smoothed if smooth else item.mean)
    title = escape(printable(name))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">'
        f'<text x="{_LEFT}" y="14" class="name">{title}</text>'
        + _epoch_marks(epochs, last, x, height)
        + f'<polygon class="band" points="{upper} {lower}"/>'
        f'<polyline class="line" points="{line}"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{high:.4g}</text>'
        f'<text x="{_LEFT - 6}" y="{height - _BOTTOM}" text-anchor="end">{low:.4g}</text>'
        f'<text x="{_LEFT}" y="{height - 6}">step {first}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{height - 6}" text-anchor="end">{series.last_step}</text>'
        "</svg>"
    )


def _epoch_marks(
    epochs: Sequence[tuple[int, int]], last: int, x: Callable[[float], float], height: int
) -> str:
    every = -(-len(epochs) // _MOST_MARKS) or 1
    marks: list[str] = []
    for step, epoch in epochs[::every]:
        if step <= last:
            at = f"{x(step):.1f}"
            marks.append(
                f'<line class="epoch" x1="{at}" x2="{at}" y1="{_TOP}" y2="{height - _BOTTOM}"/>'
                f'<text class="epoch" x="{at}" y="{_TOP - 3}" text-anchor="middle">{epoch}</text>'
            )
    return "".join(marks)
