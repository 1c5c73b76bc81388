"""Pictures that the terminal itself draws, as the screens see them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator

from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip

from ..terminal import kitty
from ..terminal.capabilities import Capabilities, Pictures
from .drawings import Drawing

_LEVELS = (0, 95, 135, 175, 215, 255)
"""Of each channel, in the 256 colours of a terminal."""


def capabilities_of(app: App[object]) -> Capabilities:
    """What the terminal can, as it was found before the app began."""
    return getattr(app, "capabilities", None) or Capabilities()


def can_draw(app: App[object]) -> bool:
    """Whether pictures are to be drawn at all."""
    return kind_of(app) != "none"


def kind_of(app: App[object], *, is_large: bool = False) -> Pictures:
    """How a picture is drawn: one of many, or the one that has the screen to itself."""
    capabilities = capabilities_of(app)
    if capabilities.pictures == "none" or app.no_color:
        return "none"
    kind = capabilities.full if is_large else capabilities.pictures
    # The number of a picture is a colour; sixteen are too few to tell them apart.
    return "half" if kind == "kitty" and not _has_numbers(app) else kind


def write(app: App[object], sequence: str) -> None:
    """Send ``sequence`` to the terminal after all that was drawn before. While the app begins or
    ends, nothing is sent."""
    driver = app._driver  # pyright: ignore[reportPrivateUsage]
    if driver is not None and not app.is_headless and app.is_running:
        driver.write(sequence)


class SentPictures:
    """The pictures that a widget has given the terminal by kitty's protocol."""

    def __init__(self) -> None:
        self._sent: dict[int, tuple[Drawing, int, tuple[Strip, ...]]] = {}
        """By the drawing's identity: the drawing, its number, its placeholders."""

    def strips(self, app: App[object], drawing: Drawing) -> tuple[Strip, ...]:
        """What is to stand where ``drawing`` is to be seen; the picture is sent when that has not
        happened yet."""
        found = self._sent.get(id(drawing))
        if found is None:
            number, colour = _next_number(app)
            tmux = capabilities_of(app).through_tmux
            write(app, kitty.send(number, drawing.png, *drawing.size, through_tmux=tmux))
            found = self._sent[id(drawing)] = (drawing, number, _placeholders(drawing, colour))
        return found[2]

    def keep_only(self, app: App[object], drawings: Collection[Drawing]) -> None:
        """Let the terminal forget all others."""
        kept = {id(drawing) for drawing in drawings}
        tmux = capabilities_of(app).through_tmux
        for key in [key for key in self._sent if key not in kept]:
            write(app, kitty.delete(self._sent.pop(key)[1], through_tmux=tmux))


def _placeholders(drawing: Drawing, colour: Color) -> tuple[Strip, ...]:
    columns, rows = drawing.size
    style = Style(color=colour)
    # A segment a cell: whatever cuts a strip never cuts a character from its marks.
    return tuple(
        Strip([Segment(kitty.placeholder(row, column), style) for column in range(columns)])
        for row in range(rows)
    )


def _has_numbers(app: App[object]) -> bool:
    return app.console.color_system in ("truecolor", "256")


def _next_number(app: App[object]) -> tuple[int, Color]:
    """The number of a new picture, and the colour that names it."""
    if app.console.color_system == "truecolor":
        # Another wizard in the same terminal has, nearly surely, other numbers.
        number = next(_numbers)
        return number, Color.from_rgb(number >> 16, number >> 8 & 255, number & 255)
    colour = Color.from_rgb(*next(_few_colours))
    return colour.downgrade(ColorSystem.EIGHT_BIT).number or 0, colour


def _cube() -> Iterator[tuple[int, int, int]]:
    """The colours of a terminal with 256 that are surely no greys."""
    for colour in itertools.product(_LEVELS, _LEVELS, _LEVELS):
        if max(colour) - min(colour) > 100:
            yield colour


_numbers = itertools.count(random.randrange(1 << 20, 1 << 23))
_few_colours = itertools.cycle(_cube())
