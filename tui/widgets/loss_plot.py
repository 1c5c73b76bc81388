"""The loss over the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ...core.run.history import Column
from ..walk.watching import Curves
from .axes import Scale, last_step_shown, number_text
from .dots import Dots

_LABELS = 8
"""Columns for the values beside the plot."""
_ROWS_OF_A_MARK = 3
_AROUND = 3
"""Rows for the title and the axis of steps."""
_LAYERS = ("band", "validation", "smoothed")
_LEAST = (16, 7)
_Cell = tuple[str, str]
"""A character and the name of its style."""


class LossPlot(Widget):
    """The raw values as a dim band, the smoothed ones as a bright line, the validation loss, marks
    where epochs begin and where a loss was no number. `show` asks for what has changed and draws
    only the characters that did."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "loss-plot--title",
        "loss-plot--band",
        "loss-plot--smoothed",
        "loss-plot--validation",
        "loss-plot--axis",
        "loss-plot--bad",
    }
    DEFAULT_CSS = """
    LossPlot { width: 1fr; height: 1fr; }
    LossPlot > .loss-plot--title { color: $text; text-style: bold; }
    LossPlot > .loss-plot--band { color: $primary 65%; }
    LossPlot:ansi > .loss-plot--band { color: $primary; }
    LossPlot > .loss-plot--smoothed { color: $warning; text-style: bold; }
    LossPlot > .loss-plot--validation { color: $foreground; text-style: bold; }
    LossPlot > .loss-plot--axis { color: $text-muted; }
    LossPlot > .loss-plot--bad { color: $error; text-style: bold; }
    """

    def __init__(self, source: Callable[[int, int, int], Curves], *, id: str | None = None) -> None:
        """``source(columns, first_step, last_step)`` gives the curves."""
        super().__init__(id=id)
        self.is_log = False
        self._source = source
        self._last_step, self._total = 0, None
        self._cells: list[list[_Cell]] = []

    def show(self, last_step: int, total: int | None) -> None:
        """Show the steps up to ``last_step`` of a run of ``total``."""
        self._last_step, self._total = last_step, total
        self._redraw()

    def toggle_log(self) -> None:
        """Between a linear and a logarithmic axis."""
        self.is_log = not self.is_log
        self._redraw()

    def on_resize(self) -> None:
        """Draw for the new room."""
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """One line of characters, those of one style together."""
        width = self.size.width
        cells = self._cells[y] if y < len(self._cells) else []
        segments: list[Segment] = []
        text, name = "", ""
        for char, style in [*cells[:width], ("", "\0")]:
            if style != name and text:
                segments.append(Segment(text, self._style(name)))
                text = ""
            text, name = text + char, style
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"loss-plot--{name}") if name else self.rich_style

    def _redraw(self) -> None:
        before, self._cells = self._cells, self._draw()
        if len(before) != len(self._cells):
            self.refresh()
            return
        changed = [
            Region(first, y, last + 1 - first, 1)
            for y, (old, new) in enumerate(zip(before, self._cells, strict=True))
            if (span := _span(old, new)) is not None
            for first, last in [span]
        ]
        if changed:
            self.refresh(*changed)

    def _draw(self) -> list[list[_Cell]]:
        width, height = self.size
        if width < _LEAST[0] or height < _LEAST[1]:
            return []
        dots = Dots(width - _LABELS - 1, height - _AROUND, len(_LAYERS))
        end = last_step_shown(self._last_step, self._total)
        curves = self._source(dots.width, 1, end)
        known = curves.loss + curves.validation
        if not known:
            words = "The curve begins with the first step."
            lines = [self._title(width, "", [])] + [[] for _ in range(height - 1)]
            lines[height // 2] = [(char, "axis") for char in words.center(width)[:width]]
            return [_filled(line, width) for line in lines]
        scale = Scale.around(known, is_log=self.is_log)
        _fill(dots, curves, scale)
        title = self._title(width, f"steps 1-{end:,}", curves.validation)
        lines = [title, *self._rows(dots, scale)]
        lines += _axis(dots.columns, curves)
        return [_filled(line, width) for line in lines]

    def _title(self, width: int, steps: str, validation: list[Column]) -> list[_Cell]:
        legend = [[("raw ", "axis"), ("⢕⢕", "band")], [("smoothed ", "axis"), ("⠒⠒", "smoothed")]]
        if validation:
            legend.append([("validation ", "axis"), ("⠒⠒", "validation")])
        scale = "log" if self.is_log else "linear"
        line = [(char, "title") for char in "1 Loss"]
        for parts in [*legend, [(steps, "axis")], [(f"y: {scale}", "axis")]]:
            cells = [(char, name) for text, name in parts for char in text]
            if cells and len(line) + 2 + len(cells) <= width:
                line += [(" ", "axis"), (" ", "axis"), *cells]
        return line

    def _rows(self, dots: Dots, scale: Scale) -> list[list[_Cell]]:
        lines: list[list[_Cell]] = []
        labels = {
            round((1 - scale.place(value)) * (dots.rows - 1)): number_text(value)
            for value in scale.marks(max(2, dots.rows // _ROWS_OF_A_MARK))
        }
        for row in range(dots.rows):
            text = labels.get(row, "")
            label = [(char, "axis") for char in f"{text:>{_LABELS - 1}} "]
            edge = [("┤" if text else "│", "axis")]
            cells = [(char, _LAYERS[layer] if layer >= 0 else "") for char, layer in dots.row(row)]
            lines.append([*label, *edge, *cells])
        return lines


def _fill(dots: Dots, curves: Curves, scale: Scale) -> None:
    """Put the curves into the layers of `_LAYERS`."""

    def x(step: float) -> int:
        span = max(1, curves.last_step - curves.first_step)
        return round((step - curves.first_step) * (dots.width - 1) / span)

    def y(value: float) -> int:
        return round(scale.place(value) * (dots.height - 1))

    def middle(column: Column) -> int:
        return x((column.first_step + column.last_step) / 2)

    for column, following in zip(curves.loss, [*curves.loss[1:], None], strict=True):
        # Where steps stand far apart, each has the room up to the next.
        end = middle(following) if following else middle(column) + 1
        for place in range(middle(column), max(end, middle(column) + 1)):
            dots.column(0, place, y(column.low), y(column.high), every=2)
    dots.line(1, [(middle(column), y(column.mean)) for column in curves.validation])
    dots.line(2, [(middle(column), y(column.smoothed)) for column in curves.loss])


def _axis(columns: int, curves: Curves) -> list[list[_Cell]]:
    """The axis with its marks, and the epochs below it."""
    span = max(1, curves.last_step - curves.first_step)

    def place(step: int) -> int:
        return (step - curves.first_step) * (columns - 1) // span

    marks: list[_Cell] = [("─", "axis")] * columns
    names: list[_Cell] = [(" ", "axis")] * columns
    free = 0
    for step, epoch in curves.epochs:
        at = place(step)
        text = str(epoch)
        if 0 <= at < columns:
            marks[at] = ("┬", "axis")
            if at >= free and at + len(text) <= columns:
                names[at : at + len(text)] = [(char, "axis") for char in text]
                free = at + len(text) + 2
    for step in curves.not_finite:
        if 0 <= place(step) < columns:
            marks[place(step)] = ("x", "bad")
    bad: list[_Cell] = [(char, "bad") for char in "x: no number "] if curves.not_finite else []
    names[columns - len(bad) :] = bad
    left = [(char, "axis") for char in "epoch".rjust(_LABELS - 1) + " "]
    none: list[_Cell] = [(" ", "axis")] * _LABELS
    return [[*none, ("└", "axis"), *marks], [*left, (" ", "axis"), *names]]


def _filled(line: list[_Cell], width: int) -> list[_Cell]:
    return [*line, *[(" ", "")] * (width - len(line))]


def _span(old: list[_Cell], new: list[_Cell]) -> tuple[int, int] | None:
    """The first and last column that differ."""
    if old == new:
        return None
    differing = [at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    return (differing[0], differing[-1]) if differing else (0, max(len(old), len(new)))
