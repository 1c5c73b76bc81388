"""The step `output`: where the files go and what they are called."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from ..walk import proposals
from ..walk.figures import Reading, disk_reading, file_reading, files_reading, folder_reading
from .form_step import ProposingStep


class OutputScreen(ProposingStep):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "output"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "propose", "Take proposed")]

    def figures(self) -> list[Reading]:
        """What will be on the disk, and where."""
        known = self.app.assessment
        return [
            folder_reading(known),
            files_reading(known),
            file_reading(known),
            disk_reading(known),
        ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered only while there is something to take."""
        return bool(self._proposed()) if action == "propose" else True

    def proposal(self) -> str:
        """A name and a comment, where they differ from what is there."""
        proposed = ", ".join(f"{info} {value}" for info, value in self._proposed().items())
        return f"Proposed from the trigger word: {proposed}   (F2 takes it)" if proposed else ""

    def take_proposal(self) -> None:
        """Take the proposed name and comment."""
        for name, value in self._proposed().items():
            self.app.draft.enter(f"output.{name}", value)

    def _proposed(self) -> dict[str, str]:
        draft = self.app.draft
        found = {
            "name": proposals.output_name(draft),
            "comment": proposals.output_comment(draft),
        }
        return {
            name: value
            for name, value in found.items()
            if value and value != draft.shown(f"output.{name}")
        }
