"""The step `samples`: what is drawn on the way, and how often."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from ..walk import proposals
from ..walk.figures import Reading, pictures_reading, time_reading
from .form_step import ProposingStep


class SamplesScreen(ProposingStep):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "samples"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "propose", "Add proposed")]

    def figures(self) -> list[Reading]:
        """How many pictures, and how long they take."""
        known = self.app.assessment
        return [pictures_reading(known), time_reading(known)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered only while there is something to take."""
        return bool(proposals.next_prompt(self.app.draft)) if action == "propose" else True

    def proposal(self) -> str:
        """The next prompt, or what would make one possible."""
        draft = self.app.draft
        if prompt := proposals.next_prompt(draft):
            return f"Proposed: {prompt}   (F2 puts it in)"
        if proposals.trigger_word(draft):
            return "One prompt per line. One without the trigger word shows what must stay."
        return "One prompt per line. With a trigger word (step Dataset) one can be proposed."

    def take_proposal(self) -> None:
        """Put the proposed prompt below the others."""
        draft, prompt = self.app.draft, proposals.next_prompt(self.app.draft)
        if prompt:
            typed = draft.shown("samples.prompts").rstrip()
            draft.enter("samples.prompts", f"{typed}\n{prompt}" if typed else prompt)
            self.form.focus_field("samples.prompts")
