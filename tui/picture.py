"""Pictures in a plain terminal: two pixels a character, in as many colours as it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.color import Color
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from ..core.text import printable

UPPER_HALF = "▀"
_SMALLEST = 22
"""Columns below which a picture says nothing any more."""
_GAP = 2


def half_blocks(picture: Image.Image, columns: int) -> list[list[Segment]]:
    """``picture`` scaled to ``columns`` columns, as lines of segments; every character shows two
    pixels, one in its foreground colour and one in its background colour."""
    pixels = picture.convert("RGB")
    rows = max(1, round(columns * pixels.height / pixels.width / 2))
    pixels = pixels.resize((columns, rows * 2), Image.Resampling.LANCZOS)
    return [[_character(pixels, column, row) for column in range(columns)] for row in range(rows)]


def print_pictures(console: Console, pictures: Sequence[tuple[str, Path]]) -> None:
    """Show labelled picture files side by side, in as many rows as the terminal's width asks for.

    Prints nothing where there are no colours to draw with; the caller names the paths.
    """
    if console.color_system is None or console.width < _SMALLEST:
        return
    loaded = [(label, Image.open(path).convert("RGB")) for label, path in pictures]
    per_row = max(1, min(len(loaded), (console.width + _GAP) // (_SMALLEST + _GAP)))
    columns = min(64, (console.width + _GAP) // per_row - _GAP)
    for start in range(0, len(loaded), per_row):
        _print_row(console, loaded[start : start + per_row], columns)


def _print_row(console: Console, row: Sequence[tuple[str, Image.Image]], columns: int) -> None:
    labels = (printable(label, limit=columns).ljust(columns) for label, _ in row)
    console.print((" " * _GAP).join(labels).rstrip(), markup=False, highlight=False)
    drawn = [half_blocks(picture, columns) for _, picture in row]
    blank = [Segment(" " * columns)]
    segments: list[Segment] = []
    for line in range(max(len(lines) for lines in drawn)):
        for index, lines in enumerate(drawn):
            segments.extend([Segment(" " * _GAP)] if index else [])
            segments.extend(lines[line] if line < len(lines) else blank)
        segments.append(Segment.line())
    console.print(Segments(segments), end="")


def _character(pixels: Image.Image, column: int, row: int) -> Segment:
    upper, lower = (_colour(pixels, column, row * 2 + half) for half in (0, 1))
    return Segment(UPPER_HALF, Style(color=upper, bgcolor=lower))


def _colour(pixels: Image.Image, x: int, y: int) -> Color:
    value = pixels.getpixel((x, y))
    assert isinstance(value, tuple)
    red, green, blue = value[:3]
    return Color.from_rgb(red, green, blue)
