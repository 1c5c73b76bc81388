"""The repeats of each of several folders."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from ...core.dataset.plan import ConceptSummary
from ...core.solving import MOST_REPEATS
from .text import SafeInput, shown

_LONGEST_NAME = 14
_MOST_DIGITS = 20
"""What is pasted may have thousands, which Python refuses to read."""


class ConceptRepeats(Vertical):
    """A field for each of ``dataset.concepts``. Says `Edited` for what can be used."""

    class Edited(Message):
        """A person has typed repeats for a concept, counted from 0."""

        def __init__(self, number: int, repeats: int) -> None:
            super().__init__()
            self.number = number
            self.repeats = repeats

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
        self._names: list[str] = []

    def show(self, concepts: Sequence[ConceptSummary]) -> None:
        """Show these concepts; what is being typed stays as it is."""
        self.set_class(bool(concepts), "-used")
        names = [concept.name for concept in concepts]
        if names != self._names:
            self._names = names
            self.remove_children()
            self.mount_all(self._row(number, concept) for number, concept in enumerate(concepts))
            self.mount(Static("", classes="field-problem", markup=False))
            return
        for field, concept in zip(self.query(SafeInput), concepts, strict=True):
            if not field.has_focus and field.value != str(concept.repeats):
                with self.prevent(Input.Changed):
                    field.value = str(concept.repeats)

    def _row(self, number: int, concept: ConceptSummary) -> Horizontal:
        name = shown(f"Repeats {concept.name}", limit=_LONGEST_NAME + 6)
        field = SafeInput(str(concept.repeats), compact=True, name=str(number))
        return Horizontal(Static(name, classes="field-label", markup=False), field)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        text, number = event.value.strip(), int(event.input.name or 0)
        fits = text.isdecimal() and len(text) < _MOST_DIGITS and 1 <= int(text) <= MOST_REPEATS
        problem = self.query_one(".field-problem", Static)
        problem.set_class(not fits, "-wrong")
        if not fits:
            name = shown(self._names[number], limit=_LONGEST_NAME).plain
            problem.update(f"{name}: a number from 1 to {MOST_REPEATS:,}")
        elif event.input.has_focus:
            self.post_message(self.Edited(number, int(text)))
