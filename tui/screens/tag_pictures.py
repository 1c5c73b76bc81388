"""The pictures whose captions have a tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from ...core.tags.entries import Entry
from ..widgets.footer import Footer
from ..widgets.long_list import Cell, LongList
from ..widgets.picture import Picture
from ..widgets.text import shown


class TagPictures(Screen[None]):
    """Their names, and the one under the cursor with its caption."""

    HELP = "The pictures that have a tag in their caption. Enter shows one in all of the terminal."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("enter", "enlarge", "Enlarge"),
    ]
    DEFAULT_CSS = """
    TagPictures #title { height: 1; padding: 0 1; color: $primary; text-style: bold; }
    TagPictures LongList { width: 2fr; }
    TagPictures #one { width: 3fr; padding: 0 1; }
    TagPictures #words { height: auto; max-height: 7; margin: 1 0 0 0; }
    """

    def __init__(self, tag: str, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._tag, self._entries = tag, entries

    def compose(self) -> ComposeResult:
        count = len(self._entries)
        yield Static(shown(f"{count} picture{'s' * (count != 1)} with: {self._tag}"), id="title")
        with Horizontal():
            yield LongList(self._line)
            with Vertical(id="one"):
                yield Picture()
                yield Static("", id="words", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        found = self.query_one(LongList)
        found.show(len(self._entries))
        found.focus()

    def action_enlarge(self) -> None:
        """The picture in all of the terminal."""
        self.query_one(Picture).action_enlarge()

    @on(LongList.Moved)
    def _moved(self, event: LongList.Moved) -> None:
        event.stop()
        if self._entries:
            entry = self._entries[event.index]
            self.query_one(Picture).show(entry.path)
            self.query_one("#words", Static).update(shown(entry.caption, limit=600))

    @on(LongList.Chosen)
    def _chosen(self, event: LongList.Chosen) -> None:
        event.stop()
        self.action_enlarge()

    def _line(self, index: int) -> list[Cell]:
        return [(self._entries[index].path.name, 0, "")]
