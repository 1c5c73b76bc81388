"""A step that is mostly fields, with numbers that follow from them: what is wrong with a field is
said beside it, the rest below."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from ..walk.assessment import Assessment
from ..walk.figures import Reading
from ..widgets.figures import Figures
from ..widgets.form import Form
from ..widgets.text import shown
from .step import StepScreen


class FormStep(StepScreen):
    """A step with a form and figures."""

    DEFAULT_CSS = """
    FormStep #beside { height: 1fr; layout: vertical; }
    FormStep.-wide #beside { layout: horizontal; }
    FormStep #beside Form { height: 1fr; }
    FormStep #beside Figures { height: auto; }
    FormStep.-wide #beside Figures { width: 38; height: 1fr; padding: 1; }
    """

    def compose_step(self) -> ComposeResult:
        """The form, and the figures below it or beside it."""
        with Horizontal(id="beside"):
            yield self.make_form()
            yield Figures("", markup=False)

    def make_form(self) -> Form:
        """The form; by default of all the step's options."""
        return Form(self.step.options())

    def figures(self) -> list[Reading]:
        """The numbers that are shown, the most telling first."""
        raise NotImplementedError

    @property
    def form(self) -> Form:
        """The form."""
        return self.query_one(Form)

    def on_mount(self) -> None:
        super().on_mount()
        self.show_figures()
        self.form.fields[0].input.focus()

    def on_resize(self) -> None:
        self.show_figures()

    def show_assessment(self, assessment: Assessment) -> None:
        """Show the problems of the fields beside them, and what is left as any step does."""
        self.form.show_problems(assessment.problems)
        beside = {field.info.key for field in self.form.fields if field.display}
        rest = [item for item in assessment.problems if item.where.partition("[")[0] not in beside]
        super().show_assessment(replace(assessment, problems=tuple(rest)))
        self.show_figures()

    def show_figures(self) -> None:
        """Show what is known now."""
        self.query_one(Figures).show(self.figures(), column=self.has_class("-wide"))

    async def focus_field(self, key: str) -> None:
        """Go to the field of an option, where a problem was found."""
        self.form.focus_field(key)


class ProposingStep(FormStep):
    """A step that proposes something, in a line above its fields, for what follows from what is
    there; a key bound to `propose` takes it."""

    DEFAULT_CSS = """
    ProposingStep #proposed { height: auto; padding: 0 1; color: $text-muted; }
    """

    def compose_step(self) -> ComposeResult:
        """The proposal above the fields."""
        yield Static("", id="proposed", markup=False)
        yield from super().compose_step()

    def proposal(self) -> str:
        """What is proposed, in words; not yet safe to show."""
        raise NotImplementedError

    def take_proposal(self) -> None:
        """Put what is proposed into the draft."""
        raise NotImplementedError

    def show_figures(self) -> None:
        """Also what is proposed now."""
        super().show_figures()
        self.refresh_bindings()
        self.query_one("#proposed", Static).update(shown(self.proposal()))

    def action_propose(self) -> None:
        """Take what is proposed."""
        self.take_proposal()
        self.form.show_draft()
        self.show_figures()
        self.app.touch()
