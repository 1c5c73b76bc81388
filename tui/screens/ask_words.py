"""A question that is answered with a few words."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ..widgets.text import SafeInput, shown
from .dialog import Dialog


class AskWords(Dialog[str]):
    """Ends with what was typed; with nothing for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Back")]
    DEFAULT_CSS = """
    AskWords > Vertical { padding: 0 1; }
    AskWords #title { text-style: bold; margin: 0 0 1 0; }
    AskWords #keys { color: $text-muted; margin: 1 0 0 0; }
    """

    def __init__(self, title: str, value: str = "", placeholder: str = "") -> None:
        super().__init__()
        self._title, self._value, self._placeholder = title, value, placeholder

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(shown(self._title), id="title")
            yield SafeInput(self._value, placeholder=self._placeholder, compact=True)
            yield Static("enter: take it   esc: back", id="keys")

    def on_mount(self) -> None:
        self.query_one(SafeInput).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)
