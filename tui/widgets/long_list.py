"""A list of any length with a cursor: only what is in sight is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from .text import clipped

_MARK = "> "
_NO_MARK = " " * len(_MARK)
Cell = tuple[str, int, str]
"""(text, not yet safe to show; cells, negative to align to the right; "", "dim" or "bold")."""


class LongList(ScrollView, can_focus=True):
    """``count`` lines of which ``line`` gives the cells of each; the first cell takes the room that
    the others leave."""

    class Moved(Message):
        """Another line has the cursor."""

        def __init__(self, of: LongList, index: int) -> None:
            super().__init__()
            self.of = of
            self.index = index

        @property
        def control(self) -> LongList:
            return self.of

    class Chosen(Moved):
        """Enter was pressed on a line."""

    DEFAULT_CSS = """
    LongList { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    def __init__(self, line: Callable[[int], Sequence[Cell]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._line = line
        self._count = 0
        self._cursor = 0

    @property
    def index(self) -> int | None:
        """Which line has the cursor; None when there is none."""
        return self._cursor if self._count else None

    def show(self, count: int, *, cursor: int | None = None) -> None:
        """Draw the lines anew; the cursor stays, or goes to a line."""
        self._count = count
        self._cursor = max(0, min(self._cursor if cursor is None else cursor, count - 1))
        self.virtual_size = Size(self.size.width, count)
        self._into_sight()
        self.refresh()
        self.post_message(self.Moved(self, self._cursor))

    def renew(self, index: int) -> None:
        """Draw one line anew."""
        y = index - round(self.scroll_y)
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self._count)
        self._into_sight()

    def on_click(self, event: Click) -> None:
        """The cursor goes to the line under the mouse."""
        self._move_to(event.y + round(self.scroll_y))

    def action_move(self, distance: int) -> None:
        """To a neighbour; none beyond the ends."""
        self._move_to(self._cursor + distance)

    def action_page(self, direction: int) -> None:
        """As many lines further as are in sight."""
        most = self._count - 1
        self._move_to(max(0, min(most, self._cursor + direction * max(1, self.size.height - 1))))

    def action_jump(self, index: int) -> None:
        """To the first, or (-1) the last."""
        self._move_to(index % max(1, self._count))

    def action_choose(self) -> None:
        """Say that the line under the cursor is meant."""
        if self._count:
            self.post_message(self.Chosen(self, self._cursor))

    def render_line(self, y: int) -> Strip:
        """A line of what is in sight."""
        index = y + round(self.scroll_y)
        width = self.size.width
        if index >= self._count:
            return Strip.blank(width, self.rich_style)
        is_here = index == self._cursor
        base = self.rich_style
        if is_here:
            base += Style(bold=True, reverse=self.has_focus)
        segments = [Segment(_MARK if is_here else _NO_MARK, base)]
        for text, look in _laid_out(self._line(index), width):
            style = base + Style(dim=look == "dim", bold=look == "bold" or is_here)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)

    def _move_to(self, index: int) -> None:
        if not 0 <= index < self._count or index == self._cursor:
            return
        before, self._cursor = self._cursor, index
        self.renew(before)
        self.renew(index)
        self._into_sight()
        self.post_message(self.Moved(self, index))

    def _into_sight(self) -> None:
        if self.size:
            self.scroll_to_region(Region(0, self._cursor, self.size.width, 1), animate=False)


class Heads(Widget):
    """The names of a `LongList`'s columns, above it and as wide as it is."""

    DEFAULT_CSS = "Heads { height: 1; color: $text-muted; }"

    def __init__(self, cells: Sequence[Cell]) -> None:
        super().__init__()
        self._cells = cells

    def show(self, cells: Sequence[Cell]) -> None:
        """Show other names."""
        self._cells = cells
        self.refresh()

    def render(self) -> Content:
        """The names, where the columns are."""
        texts = (text for text, _ in _laid_out(self._cells, self.size.width))
        return Content(_NO_MARK + "".join(texts))


def _laid_out(cells: Sequence[Cell], width: int) -> Iterator[tuple[str, str]]:
    """(text with the gap before it, look) of each cell of a line so wide."""
    rest = width - len(_MARK) - sum(abs(wide) + 1 for _, wide, _ in cells[1:])
    for place, (text, wide, look) in enumerate(cells):
        yield " " * bool(place) + _fitted(text, wide if place else rest), look


def _fitted(text: str, cells: int) -> str:
    wide = max(1, abs(cells))
    safe = clipped(text, wide)
    blank = " " * (wide - cell_len(safe))
    return blank + safe if cells < 0 else safe + blank
