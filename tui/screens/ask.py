"""A question over the screen, answered with one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static

from ...core.errors import WizardError
from ..widgets.text import shown
from .dialog import Dialog


class Ask(Dialog[str]):
    """Ends with the name of the choice; with an empty one for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Back")]
    DEFAULT_CSS = """
    Ask > Vertical { padding: 0 1; }
    Ask VerticalScroll { height: auto; max-height: 14; }
    Ask #title { text-style: bold; }
    Ask OptionList { height: auto; margin: 1 0 0 0; border: none; padding: 0; }
    """

    def __init__(self, title: str, text: str, choices: Sequence[tuple[str, str]]) -> None:
        """``choices`` are (name, words); the first is the one that enter takes."""
        super().__init__()
        self._title = title
        self._text = text
        self._choices = list(choices)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(shown(self._title), id="title")
            with VerticalScroll(can_focus=False):
                yield Static(shown(self._text))
            words = [words for _, words in self._choices]
            yield OptionList(*words, markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])


def told(error: WizardError) -> Ask:
    """What is wrong, as a screen that goes away with any key that ends it."""
    text = "\n".join(part for part in (error.message, error.remedy) if part)
    return Ask(error.title, text, [("", "Back")])
