"""What the dataset step opens to prepare its pictures: findings about them, and copies of them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from ...core.errors import WizardError
from .step import StepScreen

_SEVERAL = (
    "These folders differ in more than their names. In a shell, `lora-wizard resize FOLDER` copies "
    "one of them, and the folders in it."
)


class PreparingStep(StepScreen):
    """The keys for it. Subclasses have the class ``-found`` while there are pictures."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "look", "Findings", tooltip="Copies, blur and what else is worth a look"),
        Binding("f3", "copies", "Crop and resize into a new folder", show=False),
    ]

    def changed(self) -> None:
        """The draft has changed, not by a field."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be looked at before it is found."""
        if action in ("look", "copies"):
            return self.has_class("-found")
        return super().check_action(action, parameters)

    def action_look(self) -> None:
        """Show copies, blurred pictures and whatever else is worth a look."""
        from .look import LookScreen

        if self.app.assessment and self.app.assessment.config:
            screen = LookScreen(self.app.assessment.config)
            self.app.push_screen(screen, lambda _: self._come_back())

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

    def _copied(self, folder: Path | None) -> None:
        if folder:
            from ..walk import crops

            crops.train_with(self.app.draft, folder)
            self.changed()
        self._come_back()

    def _come_back(self) -> None:
        """Show what was found out while another screen was in front."""
        if self.app.assessment:
            self.show_assessment(self.app.assessment)
