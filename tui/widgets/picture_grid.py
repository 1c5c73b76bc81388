"""Many small pictures with labels, of which only those in sight are read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import get_current_worker

from ...core.text import printable
from .drawings import Drawing, Frame, drawings
from .graphics import SentPictures, can_draw, capabilities_of, kind_of
from .text import clipped

_GAP = 2
CURSOR_MARK = "> "
_LEAST_COLUMNS = 15


class PictureGrid(ScrollView, can_focus=True):
    """Thumbnails of ``items`` (label, file), as many in a row as fit, or ``per_row`` of them, which
    are then as large as the room allows, and no smaller than `_LEAST_COLUMNS`; it scrolls both
    ways. Arrow keys choose one, enter says so. A label stands above its picture.

    ``columns`` and ``rows`` are the room of one picture, in characters; with ``per_row`` they are
    what it has at least when the rows do not all fit.
    """

    class Highlighted(Message):
        """Another picture has the cursor."""

        def __init__(self, grid: PictureGrid, index: int, path: Path) -> None:
            super().__init__()
            self.grid = grid
            self.index = index
            self.path = path

        @property
        def control(self) -> PictureGrid:
            return self.grid

    class Chosen(Highlighted):
        """Enter was pressed on a picture, or it was clicked."""

    DEFAULT_CSS = """
    PictureGrid { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", "Left", show=False),
        Binding("right", "move(1, 0)", "Right", show=False),
        Binding("up", "move(0, -1)", "Up", show=False),
        Binding("down", "move(0, 1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    def __init__(
        self,
        items: Iterable[tuple[str, Path]] = (),
        *,
        columns: int = 18,
        rows: int = 9,
        per_row: int | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._items = list(items)
        self._columns, self._asked_rows = columns, rows
        self._asked_size = (columns, rows)
        self._asked_per_row = per_row
        self._cursor = 0
        self._seen: dict[Path, Drawing] = {}
        self._sent = SentPictures()

    @property
    def index(self) -> int:
        """Which picture has the cursor."""
        return self._cursor

    @property
    def path(self) -> Path | None:
        """Its file."""
        return self._items[self._cursor][1] if self._items else None

    def show(self, items: Iterable[tuple[str, Path]], *, per_row: int | None = None) -> None:
        """Show other pictures; the cursor stays where it is, if that is possible."""
        self._items = list(items)
        self._asked_per_row = per_row or self._asked_per_row
        self._cursor = max(0, min(self._cursor, len(self._items) - 1))
        self._lay_out()

    def move_to(self, index: int) -> None:
        """Put the cursor on a picture, and into sight."""
        index = max(0, min(index, len(self._items) - 1))
        if not self._items or index == self._cursor:
            return
        self._cursor = index
        self._bring(index)
        self.refresh()
        self.post_message(self.Highlighted(self, index, self._items[index][1]))

    def _bring(self, index: int) -> None:
        """Scroll to a picture, so that the left edge never cuts another."""
        self.scroll_to_region(self._region(index), animate=False)
        column = index % self._per_row
        first = -(-round(self.scroll_x) // self._wide)
        first = min(column, max(first, column - self._across + 1))
        self.scroll_to(x=first * self._wide, animate=False)

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def on_unmount(self) -> None:
        """The terminal need not remember the pictures."""
        self._sent.keep_only(self.app, ())

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Read what has come into sight."""
        super().watch_scroll_x(old_value, new_value)
        self._request()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read what has come into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._request()

    def on_click(self, event: object) -> None:
        """Choose the picture under the mouse."""
        x, y = getattr(event, "x", 0), getattr(event, "y", 0)
        column = (x + round(self.scroll_x)) // self._wide
        row = (y + round(self.scroll_y)) // self._tall
        index = row * self._per_row + column
        if column < self._per_row and index < len(self._items):
            self.move_to(index)
            self.action_choose()

    def action_move(self, right: int, down: int) -> None:
        """To a neighbour; none beyond the edges."""
        index = self._cursor + right + down * self._per_row
        if 0 <= index < len(self._items):
            self.move_to(index)

    def action_page(self, direction: int) -> None:
        """As many rows further as are in sight."""
        rows = max(1, self.size.height // self._tall)
        self.move_to(self._cursor + direction * rows * self._per_row)

    def action_jump(self, index: int) -> None:
        """To the first, or (-1) the last."""
        self.move_to(index % max(1, len(self._items)))

    def action_choose(self) -> None:
        """Say that the picture under the cursor is meant."""
        if self._items:
            self.post_message(self.Chosen(self, self._cursor, self._items[self._cursor][1]))

    def render_line(self, y: int) -> Strip:
        """A line of the row of pictures that is there."""
        left, top = round(self.scroll_x), round(self.scroll_y)
        row, line = divmod(y + top, self._tall)
        first = row * self._per_row
        segments: list[Segment] = []
        for index in range(first, min(first + self._per_row, len(self._items))):
            segments += self._line(index, line)
        strip = Strip(segments).adjust_cell_length(max(self.virtual_size.width, left), None)
        strip = strip.crop(left, left + self.size.width)
        return strip.extend_cell_length(self.size.width).apply_style(self.rich_style)

    @property
    def _rows(self) -> int:
        return self._asked_rows if can_draw(self.app) else 1

    @property
    def _wide(self) -> int:
        return self._columns + _GAP

    @property
    def _tall(self) -> int:
        """Lines of a picture with its label and a gap."""
        return self._rows + 2

    @property
    def _per_row(self) -> int:
        return max(1, self._asked_per_row or (self.size.width + _GAP) // self._wide)

    @property
    def _across(self) -> int:
        """How many of a row are in sight whole."""
        return max(1, (self.size.width + _GAP) // self._wide)

    def _region(self, index: int) -> Region:
        row, column = divmod(index, self._per_row)
        return Region(column * self._wide, row * self._tall, self._columns, self._tall - 1)

    def _line(self, index: int, line: int) -> list[Segment]:
        """One line of one picture, as wide as a picture and the gap."""
        label, path = self._items[index]
        drawing = self._seen.get(path) or Drawing()
        if line == 0:
            is_here = index == self._cursor
            mark = CURSOR_MARK if is_here else " " * len(CURSOR_MARK)
            text = mark + clipped(label, self._columns - len(mark))
            style = Style(bold=is_here, reverse=is_here and self.has_focus)
            found = [Segment(text, style)]
        elif line <= drawing.size[1]:
            found = list(self._strips(drawing)[line - 1])
        elif line == 1:
            found = [Segment(clipped(_words(drawing), self._columns))]
        else:
            found = []
        used = sum(cell_len(segment.text) for segment in found)
        return [*found, Segment(" " * (self._wide - used))]

    def _strips(self, drawing: Drawing) -> tuple[Strip, ...]:
        return self._sent.strips(self.app, drawing) if drawing.png else drawing.strips

    def _lay_out(self) -> None:
        self._fit()
        per_row = self._per_row
        in_a_row = min(per_row, len(self._items))
        rows = -(-len(self._items) // per_row)
        wide = max(0, in_a_row * self._wide - _GAP)
        if hidden := max(0, in_a_row - self._across):
            # Room behind the last, so that the first in sight then begins at the edge.
            wide = hidden * self._wide + self.size.width
        self.virtual_size = Size(wide, rows * self._tall)
        self._request()
        self.refresh()

    def _fit(self) -> None:
        """Give each of a fixed number in a row its share of the room."""
        if not (self._asked_per_row and self._items and self.size):
            return
        columns, rows = self._asked_size
        across = (self.size.width + _GAP) // self._asked_per_row - _GAP
        down = self.size.height // -(-len(self._items) // self._asked_per_row) - 2
        # A cell is twice as high as it is wide.
        self._columns = min(max(_LEAST_COLUMNS, across), max(columns, down * 2))
        self._asked_rows = min(-(-self._columns // 2), max(rows, down))

    def _request(self) -> None:
        if not self.size:
            return
        sight = Region(round(self.scroll_x), round(self.scroll_y), *self.size)
        first = sight.y // self._tall * self._per_row
        last = -(-sight.bottom // self._tall) * self._per_row
        visible = [
            self._items[index][1]
            for index in range(first, min(last, len(self._items)))
            if self._region(index).overlaps(sight)
        ]
        self._seen = {path: self._seen[path] for path in visible if path in self._seen}
        self._sent.keep_only(self.app, self._seen.values())
        capabilities = capabilities_of(self.app)
        cell = (capabilities.cell_width, capabilities.cell_height)
        frame = Frame(self._columns, self._rows, cell, kind_of(self.app))
        for path in visible:
            if path not in self._seen and (known := drawings.known(path, frame)):
                self._seen[path] = known
        self._draw(visible, frame)

    @work(thread=True, exclusive=True, group="thumbnails")
    def _draw(self, paths: list[Path], frame: Frame) -> None:
        worker = get_current_worker()
        for path in paths:
            if worker.is_cancelled:
                return
            drawing = drawings.draw(path, frame)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._take, path, drawing)

    def _take(self, path: Path, drawing: Drawing) -> None:
        if self._seen.get(path) is not drawing:
            self._seen[path] = drawing
            self._sent.keep_only(self.app, self._seen.values())
            self.refresh()


def _words(drawing: Drawing) -> str:
    return printable(drawing.trouble or drawing.facts)
