"""The repeats of each of several folders."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from ...core.errors import Problem
from .text import SafeInput, shown

_LONGEST_NAME = 14


class ConceptRepeats(Vertical):
    """A field for each of ``dataset.concepts``. Says `Edited` for whatever is typed."""

    class Edited(Message):
        """A person has typed ``text`` as the repeats of a concept, counted from 0."""

        def __init__(self, number: int, text: str) -> None:
            super().__init__()
            self.number = number
            self.text = text

    DEFAULT_CSS = """
    ConceptRepeats { height: auto; display: none; }
    ConceptRepeats.-used { display: block; }
    ConceptRepeats Horizontal { height: auto; }
    ConceptRepeats .field-label { width: 22; padding: 0 1; }
    ConceptRepeats SafeInput { width: 1fr; }
    ConceptRepeats .field-problem { color: $error; padding: 0 1; display: none; }
    ConceptRepeats .-wrong { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.names: Sequence[str] = ()
        """Of the concepts that are shown."""
        self._told = Static("", classes="field-problem", markup=False)

    def show(self, names: Sequence[str], texts: Sequence[str]) -> None:
        """Show these concepts, and ``texts`` in their fields; what is being typed stays."""
        self.set_class(bool(names), "-used")
        if names != self.names:
            self.names = names
            self._told = Static("", classes="field-problem", markup=False)
            self.remove_children()
            self.mount_all(map(self._row, range(len(names)), names, texts))
            self.mount(self._told)
            return
        for field, text in zip(self.query(SafeInput), texts, strict=True):
            if not field.has_focus and field.value != text:
                with self.prevent(Input.Changed):
                    field.value = text

    def focus_first(self) -> None:
        """Go to the first concept's field."""
        for field in self.query(SafeInput).results(SafeInput):
            field.focus()
            break

    def show_problems(self, problems: Sequence[Problem | None]) -> None:
        """Say the first thing that is wrong, by concept."""
        wrong = [item for item in zip(self.names, problems, strict=True) if item[1]]
        self._told.set_class(bool(wrong), "-wrong")
        for name, found in wrong[:1]:
            head = shown(name, limit=_LONGEST_NAME)
            self._told.update(head + shown(f": {found.message}" if found else ""))

    def _row(self, number: int, concept: str, text: str) -> Horizontal:
        name = shown(f"Repeats {concept}", limit=_LONGEST_NAME + 6)
        field = SafeInput(text, compact=True, name=str(number))
        return Horizontal(Static(name, classes="field-label", markup=False), field)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.has_focus:
            self.post_message(self.Edited(int(event.input.name or 0), event.value))
