"""The step `samples`: what is drawn on the way, and how often."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from ..walk import proposals
from ..walk.figures import Reading, pictures_reading, time_reading
from ..widgets.text import shown
from .form_step import FormStep


class SamplesScreen(FormStep):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "samples"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "propose", "Add proposed")]
    DEFAULT_CSS = """
    SamplesScreen #proposed { height: auto; padding: 0 1; color: $text-muted; }
    """

    def compose_step(self) -> ComposeResult:
        """The proposal above the fields."""
        yield Static("", id="proposed", markup=False)
        yield from super().compose_step()

    def figures(self) -> list[Reading]:
        """How many pictures, and how long they take."""
        known = self.app.assessment
        return [pictures_reading(known), time_reading(known)]

    def show_figures(self) -> None:
        """Also what is proposed, which follows from the prompts."""
        super().show_figures()
        self.refresh_bindings()
        self.query_one("#proposed", Static).update(shown(self._proposal()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered only while there is something to take."""
        return bool(proposals.next_prompt(self.app.draft)) if action == "propose" else True

    def action_propose(self) -> None:
        """Put the proposed prompt below the others."""
        draft, prompt = self.app.draft, proposals.next_prompt(self.app.draft)
        if not prompt:
            return
        typed = draft.shown("samples.prompts").rstrip()
        draft.enter("samples.prompts", f"{typed}\n{prompt}" if typed else prompt)
        self.form.show_draft()
        self.form.focus_field("samples.prompts")
        self.show_figures()
        self.app.touch()

    def _proposal(self) -> str:
        draft = self.app.draft
        if prompt := proposals.next_prompt(draft):
            return f"Proposed: {prompt}   (F2 puts it in)"
        if proposals.trigger_word(draft):
            return "One prompt per line. One without the trigger word shows what must stay."
        return "One prompt per line. With a trigger word (step Dataset) one can be proposed."
