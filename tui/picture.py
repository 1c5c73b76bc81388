"""Pictures in a plain terminal: two pixels a character, in as many colours as it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from ..core.dataset.picture_file import PictureError
from ..core.dataset.pixels import load_picture
from ..core.text import printable

UPPER_HALF = "▀"
_SMALLEST = 22
"""Columns below which a picture says nothing any more."""
_TALLEST = 64
"""Rows."""
_GAP = 2
_ALIKE = 12
"""Of 255: colours that differ by no more in any channel share one escape sequence, so that a third
less goes over the wire."""

Colour = tuple[int, int, int]


def fitted(
    size: tuple[int, int], columns: int, rows: int, cell_aspect: float = 2.0
) -> tuple[int, int]:
    """(columns, rows) that a picture of ``size`` (width, height in pixels) fills when it has at
    most ``columns`` and ``rows``; ``cell_aspect`` is a character's height in widths."""
    width, height = size
    by_width = columns * height / width / cell_aspect
    if by_width <= rows:
        return columns, max(1, round(by_width))
    return max(1, min(columns, round(rows * cell_aspect * width / height))), rows


def half_blocks(picture: Image.Image, columns: int, rows: int) -> list[list[Segment]]:
    """``picture`` scaled to ``columns`` x ``rows`` characters, as lines of segments; every
    character shows two pixels, one in its foreground colour and one in its background colour."""
    pixels = picture.convert("RGB").resize(
        (columns, rows * 2), Image.Resampling.HAMMING, reducing_gap=3.0
    )
    values = pixels.tobytes()
    return [
        _merged(_pixels(values, columns, row), _pixels(values, columns, row + 1))
        for row in range(0, rows * 2, 2)
    ]


def print_pictures(
    console: Console, pictures: Sequence[tuple[str, Path]], *, widest: int = 64
) -> None:
    """Show labelled picture files side by side, each at most ``widest`` columns wide, in as many
    rows as the terminal's width asks for.

    Those that cannot be read are left out. Prints nothing where there are no colours to draw
    with; the caller names the paths.
    """
    if console.color_system is None or console.width < _SMALLEST:
        return
    loaded = [(label, picture) for label, path in pictures if (picture := _small(path)) is not None]
    if not loaded:
        return
    per_row = max(1, min(len(loaded), (console.width + _GAP) // (_SMALLEST + _GAP)))
    columns = min(widest, (console.width + _GAP) // per_row - _GAP)
    for start in range(0, len(loaded), per_row):
        _print_row(console, loaded[start : start + per_row], columns)


def _small(path: Path) -> Image.Image | None:
    """A picture with pixels enough to draw it; None when it cannot be read."""
    try:
        return load_picture(path, at_least=2 * _TALLEST)
    except PictureError:
        return None


def _print_row(console: Console, row: Sequence[tuple[str, Image.Image]], columns: int) -> None:
    labels = (printable(label, limit=columns).ljust(columns) for label, _ in row)
    console.print((" " * _GAP).join(labels).rstrip(), markup=False, highlight=False)
    drawn = [half_blocks(picture, *fitted(picture.size, columns, _TALLEST)) for _, picture in row]
    blank = [Segment(" " * columns)]
    segments: list[Segment] = []
    for line in range(max(len(lines) for lines in drawn)):
        for index, lines in enumerate(drawn):
            segments.extend([Segment(" " * _GAP)] if index else [])
            segments.extend(lines[line] if line < len(lines) else blank)
        segments.append(Segment.line())
    console.print(Segments(segments), end="")


def _pixels(values: bytes, columns: int, row: int) -> list[Colour]:
    line = values[row * columns * 3 : (row + 1) * columns * 3]
    return list(zip(line[::3], line[1::3], line[2::3], strict=True))


def _merged(upper: list[Colour], lower: list[Colour]) -> list[Segment]:
    """A line, with neighbours alike in one segment."""
    segments: list[Segment] = []
    above, below, length = upper[0], lower[0], 0
    for pair in zip(upper, lower, strict=True):
        if not (_are_alike(pair[0], above) and _are_alike(pair[1], below)):
            segments.append(_run(above, below, length))
            (above, below), length = pair, 0
        length += 1
    return [*segments, _run(above, below, length)]


def _are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= _ALIKE for a, b in zip(one, other, strict=True))


def _run(upper: Colour, lower: Colour, length: int) -> Segment:
    below = Color.from_rgb(*lower)
    if _are_alike(upper, lower):
        return Segment(" " * length, Style(bgcolor=below))
    return Segment(UPPER_HALF * length, Style(color=Color.from_rgb(*upper), bgcolor=below))
