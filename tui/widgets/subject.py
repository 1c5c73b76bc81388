"""What the pictures show: its kind, its class, and the word that will call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Static

from ...core.config.config_problems import options
from ..walk import dataset as step
from .controls import Choice
from .form import Form
from .text import SafeInput, shown

if TYPE_CHECKING:
    from ..app import WizardApp

_TRIGGER = "captions.trigger_words"
_REST = ("dataset.regularization_folder", "dataset.exclude")


class SubjectPanel(Vertical):
    """Kind of subject, class word, trigger words, class pictures, what is left out."""

    app: WizardApp

    class PresetWanted(Message):
        """The preset that fits the subject is to be taken."""

        def __init__(self, preset: str) -> None:
            super().__init__()
            self.preset = preset

    DEFAULT_CSS = """
    SubjectPanel { height: auto; }
    SubjectPanel Form { height: auto; }
    SubjectPanel .line { height: auto; }
    SubjectPanel .field-label { width: 26; padding: 0 1; }
    SubjectPanel .line Input { width: 1fr; }
    SubjectPanel .why { padding: 0 0 0 26; color: $text-muted; height: auto; }
    SubjectPanel .offer { height: auto; padding: 0 0 0 26; }
    """

    def compose(self) -> ComposeResult:
        draft = self.app.draft
        names = [item.name for item in step.SUBJECTS]
        with Horizontal(classes="line"):
            yield Static("What do they show?", classes="field-label", markup=False)
            yield Choice(names, step.subject_of(draft).name)
        with Horizontal(classes="offer", id="preset-offer"):
            yield Button("", id="take-preset", compact=True)
        with Horizontal(classes="line"):
            yield Static("Class word", classes="field-label", markup=False)
            yield SafeInput(id="class-word", compact=True)
        yield Form([options()[_TRIGGER]], id="trigger")
        with Horizontal(classes="offer", id="trigger-offer"):
            yield Button("", id="take-trigger", compact=True)
        yield Form([options()[key] for key in _REST])
        yield Static("", id="regularization", classes="why", markup=False)

    def show_draft(self) -> None:
        """Show what the draft says now."""
        draft = self.app.draft
        subject = step.subject_of(draft)
        with self.prevent(Choice.Changed, Input.Changed):
            self.query_one(Choice).value = subject.name
            word = self.query_one("#class-word", Input)
            if not word.has_focus:
                word.value = draft.fact("class_word")
            word.placeholder = f"such as {subject.examples}"
        preset = step.fitting_preset(draft)
        self.query_one("#preset-offer").display = bool(preset)
        self.query_one("#take-preset", Button).label = shown(
            f"\u25b8 Take its preset, {preset}; your values stay"
        )
        for form in self.query(Form):
            form.show_draft()
        self._propose()

    def show_plan(self) -> None:
        """Show what the pictures that were found propose, and what class pictures change."""
        assessment = self.app.assessment
        text = step.regularization_text(assessment) if assessment else ""
        said = self.query_one("#regularization", Static)
        said.update(text)
        said.display = bool(text)
        if assessment:
            if assessment.plan and not self.app.draft.fact("subject"):
                step.propose_subject(self.app.draft, assessment.plan)
                self.show_draft()
            for form in self.query(Form):
                form.show_problems(assessment.problems)
        self._propose()

    def focus_trigger(self) -> None:
        """Go to the trigger words, at once: what is typed right behind belongs there."""
        self.screen.set_focus(self.query_one("#trigger Input", Input))

    @property
    def proposal(self) -> str:
        """A trigger word, for a draft without one."""
        plan = self.app.assessment.plan if self.app.assessment else None
        return step.propose_trigger(step.name_of_set(self.app.draft, plan))

    def _propose(self) -> None:
        is_open = not self.app.draft.shown(_TRIGGER).strip()
        self.query_one("#trigger-offer").display = is_open
        self.query_one("#take-trigger", Button).label = shown(
            f"\u25b8 Take {self.proposal} as trigger word: no model knows it yet"
        )

    @on(Choice.Changed)
    def _kind_chosen(self, event: Choice.Changed) -> None:
        event.stop()
        step.choose_subject(self.app.draft, event.value)
        self.show_draft()

    @on(Input.Changed, "#class-word")
    def _class_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.app.draft.note("class_word", event.value)

    @on(Button.Pressed, "#take-trigger")
    def _trigger_taken(self, event: Button.Pressed) -> None:
        event.stop()
        self.app.draft.enter(_TRIGGER, self.proposal)
        self.query_one("#trigger", Form).show_draft()
        self.focus_trigger()
        self._propose()
        self.app.touch()

    @on(Button.Pressed, "#take-preset")
    def _preset_taken(self, event: Button.Pressed) -> None:
        event.stop()
        self.query_one(Choice).focus()
        self.post_message(self.PresetWanted(step.fitting_preset(self.app.draft)))
