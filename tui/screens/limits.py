"""When a run is to end by itself: asked over the review."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from ..walk import start_limits
from ..walk.start_limits import PRICE_QUESTION, QUESTIONS, Answers
from ..widgets.fields import SIGNS
from ..widgets.text import SafeInput, shown
from .dialog import Dialog

if TYPE_CHECKING:
    from ..app import WizardApp

_FIELDS = (*QUESTIONS[:2], PRICE_QUESTION, *QUESTIONS[2:])


class LimitsScreen(Dialog[None]):
    """Each key is kept; enter goes to the next field, and behind the last one back."""

    app: WizardApp
    HELP = (
        "A run can end by itself, so that a rented machine costs no more than you mean it to. It "
        "saves in time, and `lora-wizard resume` goes on with it. Of several limits the earliest "
        "counts; an empty field is no limit."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f6", "dismiss", "Back", key_display="esc"),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]
    DEFAULT_CSS = """
    LimitsScreen > Vertical { padding: 0 1; }
    LimitsScreen VerticalScroll { height: auto; }
    LimitsScreen Horizontal { height: 1; }
    LimitsScreen .label { width: 22; }
    LimitsScreen #title { text-style: bold; }
    LimitsScreen .wrong { height: auto; color: $text-error; margin-left: 2; display: none; }
    LimitsScreen #help { height: 3; color: $text-muted; margin-top: 1; }
    """

    def __init__(self, first: str = "", answers: Answers | None = None) -> None:
        """``first`` is the field to begin with; ``answers`` are the draft's unless given."""
        super().__init__()
        self._answers: Answers = answers or self.app.draft
        self._first = first or _FIELDS[0].fact

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Let it end by itself", id="title")
            yield Static("It saves in time, and `lora-wizard resume` goes on. Empty: no limit.")
            with VerticalScroll(can_focus=False):
                for asked in _FIELDS:
                    with Horizontal():
                        yield Static(asked.label, classes="label")
                        yield SafeInput(
                            self._answers.fact(asked.fact),
                            placeholder=f"such as {asked.example}",
                            id=asked.fact,
                            compact=True,
                        )
                    yield Static("", id=f"wrong-{asked.fact}", classes="wrong", markup=False)
            yield Static("", id="help", markup=False)
            yield Static("enter goes on, esc goes back; every key is kept")

    def on_mount(self) -> None:
        self.query_one(f"#{self._first}").focus()
        self._show_problems()

    def on_descendant_focus(self) -> None:
        """Explain the field that has the focus."""
        focused = self.focused.id if self.focused else ""
        said = next((asked.help for asked in _FIELDS if asked.fact == focused), "")
        self.query_one("#help", Static).update(said)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._answers.note(event.input.id or "", event.value)
        self._show_problems()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == _FIELDS[-1].fact:
            self.dismiss()
        else:
            self.focus_next()

    def _show_problems(self) -> None:
        for asked in _FIELDS:
            line = self.query_one(f"#wrong-{asked.fact}", Static)
            said = start_limits.problem(self._answers, asked.fact)
            line.display = bool(said)
            line.update(shown(f"{SIGNS['error']} {said}"))
