"""The words of one folder, over the step of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from ..walk import concepts
from ..walk.dataset import ConceptRow
from ..widgets.fields import OptionField, field_of
from ..widgets.text import shown
from .dialog import Dialog

if TYPE_CHECKING:
    from ..app import WizardApp


class ConceptDialog(Dialog[bool]):
    """Takes every key as it is typed. Ends with whether the last field was left by enter."""

    app: WizardApp
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Back"),
        Binding("enter", "next", "Next", priority=True),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]
    DEFAULT_CSS = """
    ConceptDialog > Vertical { padding: 0 1; }
    ConceptDialog #title { text-style: bold; margin: 0 0 1 0; }
    ConceptDialog #help { height: 4; margin: 1 0 0 0; color: $text-muted; }
    ConceptDialog #keys { color: $text-muted; }
    """

    def __init__(self, rows: Sequence[ConceptRow], row: ConceptRow) -> None:
        super().__init__()
        self._rows = rows
        self._row = row
        self._keys = {info.key: key for key, info in concepts.infos().items()}

    def compose(self) -> ComposeResult:
        known = concepts.texts(self.app.draft, self._row)
        with Vertical():
            yield Static(shown(f"Words of {self._row.summary.folder.name}"), id="title")
            for key, info in concepts.infos().items():
                yield OptionField(info, known[key])
            yield Static("", id="help", markup=False)
            yield Static("enter: next   esc: back, everything is kept", id="keys")

    def on_mount(self) -> None:
        for field in self.query(OptionField):
            key = self._keys[field.info.key]
            field.show_left_out(concepts.left_out(self.app.draft, self._row, key))
        self.query(OptionField).first().input.focus()

    def on_descendant_focus(self) -> None:
        """Explain the field that has the focus."""
        field = field_of(self.focused)
        self.query_one("#help", Static).update(shown(field.info.help if field else ""))

    def action_next(self) -> None:
        """To the next field; from the last one back to the pictures."""
        fields = list(self.query(OptionField))
        if fields[-1].has_focus_within:
            self.dismiss(True)
        else:
            self.focus_next()

    @on(OptionField.Edited)
    def _edited(self, event: OptionField.Edited) -> None:
        event.stop()
        key = self._keys[event.field.info.key]
        event.field.show_problem(
            concepts.enter(self.app.draft, self._rows, self._row, key, event.text)
        )
