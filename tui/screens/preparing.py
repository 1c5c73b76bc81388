"""What the dataset step opens over its pictures: findings about them, copies of them, and the words
of their folders."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from ...core.errors import WizardError
from ..walk import concepts, dataset
from ..widgets.concept_table import ConceptTable
from ..widgets.picture_grid import PictureGrid
from ..widgets.subject import SubjectPanel
from .step import StepScreen

KEYS = "F2 copies and blur   F3 crop and resize   F4 class pictures   F7 trigger word"
"""What can be done with the pictures that were found: the footer has no room for all of it."""
_SEVERAL = (
    "These folders differ in more than their names. In a shell, `lora-wizard resize FOLDER` copies "
    "one of them, and the folders in it."
)


class PreparingStep(StepScreen):
    """The keys for it. Subclasses have the class ``-found`` while there are pictures."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "look", "Findings", tooltip="Copies, blur and what else is worth a look"),
        Binding("f3", "copies", "Crop and resize into a new folder", show=False),
        Binding("f7", "trigger_word", "Trigger word", priority=True, show=False),
    ]

    def changed(self) -> None:
        """The draft has changed, not by a field."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be looked at before it is found."""
        if action in ("look", "copies", "trigger_word"):
            return self.has_class("-found")
        return super().check_action(action, parameters)

    def action_look(self) -> None:
        """Show copies, blurred pictures and whatever else is worth a look."""
        from .look import LookScreen

        if self.app.assessment and self.app.assessment.config:
            screen = LookScreen(self.app.assessment.config)
            self.app.push_screen(screen, lambda _: self._looked())

    def action_copies(self) -> None:
        """Cut and resize the pictures into a new folder."""
        from ..walk import crops
        from .crops import CropScreen

        found = self.app.assessment
        if not (found and found.config and found.plan):
            return
        try:
            order = crops.order_of(found.config, found.plan)
        except WizardError as error:
            self.app.notify(str(error), severity="error")
            return
        if order:
            self.app.push_screen(CropScreen(order), self._copied)
        else:
            self.app.notify(_SEVERAL)

    def action_trigger_word(self) -> None:
        """To its field, however much was found on the way there."""
        self.query_one(SubjectPanel).focus_trigger()

    @on(PictureGrid.Chosen)
    def _enlarge(self, event: PictureGrid.Chosen) -> None:
        """In all of the terminal; there, a key shows its mask."""
        from .large_picture import LargePicture

        self.app.push_screen(LargePicture(event.path))

    def _copied(self, folder: Path | None) -> None:
        if folder:
            from ..walk import crops

            crops.train_with(self.app.draft, folder)
            self.changed()
        self._come_back()

    def _looked(self) -> None:
        self._come_back()
        # What was found is remembered, and said from now on.
        self.app.touch()

    def _come_back(self) -> None:
        """Show what was found out while another screen was in front."""
        if self.app.assessment:
            self.show_assessment(self.app.assessment)

    @property
    def _rows(self) -> list[dataset.ConceptRow]:
        return dataset.concept_rows(self.app.assessment.plan if self.app.assessment else None)

    @on(ConceptTable.Turned)
    def _turned(self, event: ConceptTable.Turned) -> None:
        concepts.turn_repeats(self.app.draft, self._rows, event.row, event.by)
        self.changed()

    @on(ConceptTable.Dropped)
    def _dropped(self, event: ConceptTable.Dropped) -> None:
        concepts.drop_concept(self.app.draft, self._rows, event.row)
        self.changed()

    @on(ConceptTable.WordsWanted)
    def _words_wanted(self, event: ConceptTable.WordsWanted) -> None:
        from .concept import ConceptDialog

        def left(goes_on: bool | None) -> None:
            self.changed()
            if goes_on:
                self.focus_next()

        self.app.push_screen(ConceptDialog(self._rows, event.row), left)
