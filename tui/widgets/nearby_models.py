"""The base models that are near, as rows to choose one of."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.worker import get_current_worker

from ...core.text import printable
from ..walk.base_places import Nearby, nearby
from .rows import Rows
from .text import clipped

_AROUND = 6
"""Cells beside the rows, with a scroll bar."""


class NearbyModels(Rows):
    """What `find` has found; the one that is chosen is told with `Taken`."""

    class Found(Message):
        """The search is over; it found ``count``."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Taken(Message):
        """``base`` was chosen."""

        def __init__(self, base: str) -> None:
            super().__init__()
            self.base = base

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._models: list[Nearby] = []

    @work(thread=True, exclusive=True, group="nearby")
    def find(self, folder: Path) -> None:
        """Look on this machine, and in ``folder``, in a thread."""
        worker, found = get_current_worker(), nearby(folder)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._found, found)

    def _found(self, found: list[Nearby]) -> None:
        if self.is_attached:
            self._models = found
            self._write()
            self.post_message(self.Found(len(found)))

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        """The models at the left, what they are beside them."""
        width = self.outer_size.width - _AROUND
        notes = max((len(item.note) for item in self._models), default=0)
        room = max(20, width - min(notes, width // 2) - 2)
        names = max((len(printable(item.name)) for item in self._models), default=0)
        name_width = min(names, room)
        self.show([_row(item, name_width, width - name_width - 2) for item in self._models])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Taken(self._models[event.option_index].text))


def _row(item: Nearby, name_width: int, note_width: int) -> Content:
    """Of a long path the end is what tells."""
    name = printable(item.name)
    if len(name) > name_width:
        name = "…" + name[-(name_width - 1) :]
    note = Content.styled(clipped(item.note, note_width), "$text-muted")
    return Content(f"{name:<{name_width}}  ") + note
