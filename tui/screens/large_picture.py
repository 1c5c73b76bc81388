"""One picture, as large as the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from ..widgets.picture import Picture
from ..widgets.text import shown


class LargePicture(ModalScreen[None]):
    """A picture with all the room there is, and the path of its file; any of esc, enter and q
    closes it."""

    DEFAULT_CSS = """
    LargePicture { background: $background; }
    LargePicture > Static { height: auto; max-height: 3; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close"),
    ]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        yield Picture(self._path, is_large=True)
        yield Static(shown(f"{self._path}\nesc: back"), markup=False)

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()
