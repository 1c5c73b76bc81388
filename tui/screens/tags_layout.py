"""How the screen of tags looks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from ..widgets.footer import Footer
from ..widgets.long_list import Cell, Heads, LongList
from ..widgets.picture import Picture
from ..widgets.text import SafeInput

_KEYS = "space prune  k keep  r replace  enter pictures  / filter  s sort  ^z restore"
COLUMNS = (-8, -5, -5, 16)
"""Cells of the columns behind the tag's, as `LongList` has them."""
_HEADS = ("captions", "share", "place", "state")
_ORDERS = {"count": "the most frequent first", "name": "by name", "place": "by place"}


class TagsLayout(Screen[dict[Path, str]]):
    """The table, with a picture beside it where there is room; below it what is to say."""

    HELP = (
        "What captions leave out, the trigger word learns; what they name stays changeable. So "
        "prune what describes the subject itself, and keep what varies: background, expression, "
        "pose. Nothing is written before w."
    )
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("space,delete", "prune", "Prune", show=False),
        Binding("k", "keep", "Keep", show=False),
        Binding("r", "replace", "Replace", show=False),
        Binding("slash", "filter", "Filter", show=False),
        Binding("s", "sort", "Sort", show=False),
        Binding("ctrl+z", "undo_written", "Bring back what was written", show=False),
        Binding("p", "proposals", "Prune proposed"),
        Binding("o", "for_all", "For all", tooltip="For all captions"),
        Binding("u", "undo", "Undo"),
        Binding("w", "write", "Write"),
        Binding("m", "set_tokens", "Set max_tokens"),
        # Named in the title where there are several.
        Binding("c", "concept", "Next concept", show=False),
    ]
    DEFAULT_CSS = """
    TagsLayout #title { height: 1; padding: 0 1; color: $primary; text-style: bold; }
    TagsLayout #advice { height: auto; max-height: 3; padding: 0 1; }
    TagsLayout #filter-field { height: 1; padding: 0 1; display: none; }
    TagsLayout #filter-field.-on { display: block; }
    TagsLayout #filter-field Static { width: 8; }
    TagsLayout #filter { width: 1fr; }
    TagsLayout #side { width: 46; padding: 0 0 0 2; }
    TagsLayout.-narrow #side { display: none; }
    TagsLayout #words { height: auto; max-height: 8; margin: 1 0 0 0; }
    TagsLayout #why { height: 2; padding: 0 1; }
    TagsLayout #told { height: auto; max-height: 2; padding: 0 1; text-style: bold; }
    TagsLayout #tokens { height: 1; padding: 0 1; color: $text-muted; }
    TagsLayout #keys { height: 1; padding: 0 1; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        yield Static("Reading the captions ...", id="title", markup=False)
        yield Static("", id="advice", markup=False)
        with Horizontal():
            with Vertical():
                yield Heads(self.heads("count"))
                yield LongList(self.line, id="tags")
            with Vertical(id="side"):
                yield Picture()
                yield Static("", id="words", markup=False)
        with Horizontal(id="filter-field"):
            yield Static("Filter")
            yield SafeInput(compact=True, id="filter", placeholder="a part of a tag, or a state")
        yield Static("", id="why", markup=False)
        yield Static("", id="told", markup=False)
        yield Static("", id="tokens", markup=False)
        yield Static(_KEYS, id="keys", markup=False)
        yield Footer()

    @abstractmethod
    def line(self, index: int) -> Sequence[Cell]:
        """A line of the table."""

    @staticmethod
    def heads(order: str) -> list[Cell]:
        """The names of the columns, and how the tags are sorted."""
        first: Cell = (f"tag ({_ORDERS[order]})", 0, "")
        return [first, *((name, wide, "") for name, wide in zip(_HEADS, COLUMNS, strict=True))]
