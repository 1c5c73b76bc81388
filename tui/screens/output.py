"""The step `output`: where the files go and what they are called."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from ..walk import proposals
from ..walk.figures import Reading, disk_reading, file_reading, files_reading, folder_reading
from ..widgets.text import shown
from .form_step import FormStep


class OutputScreen(FormStep):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "output"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "propose", "Take proposed")]
    DEFAULT_CSS = """
    OutputScreen #proposed { height: auto; padding: 0 1; color: $text-muted; }
    """

    def compose_step(self) -> ComposeResult:
        """The proposal above the fields."""
        yield Static("", id="proposed", markup=False)
        yield from super().compose_step()

    def figures(self) -> list[Reading]:
        """What will be on the disk, and where."""
        known = self.app.assessment
        return [
            folder_reading(known),
            files_reading(known),
            file_reading(known),
            disk_reading(known),
        ]

    def show_figures(self) -> None:
        """Also what is proposed, which follows from what is there."""
        super().show_figures()
        self.refresh_bindings()
        proposed = ", ".join(f"{info} {value}" for info, value in self._proposed().items())
        words = f"Proposed from the trigger word: {proposed}   (F2 takes it)" if proposed else ""
        self.query_one("#proposed", Static).update(shown(words))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered only while there is something to take."""
        return bool(self._proposed()) if action == "propose" else True

    def action_propose(self) -> None:
        """Take the proposed name and comment."""
        draft = self.app.draft
        for name, value in self._proposed().items():
            draft.enter(f"output.{name}", value)
        self.form.show_draft()
        self.show_figures()
        self.app.touch()

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
