"""Home: where everything begins, and where running things are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static

from ..walk.draft import Draft, drafts

if TYPE_CHECKING:
    from ..app import WizardApp


class HomeScreen(Screen[None]):
    """New, drafts, TOMLs, runs, the demo."""

    app: WizardApp

    def compose(self) -> ComposeResult:
        yield Static("lora-wizard: from a folder of pictures to a LoRA")
        yield OptionList("New", *(draft.name for draft in drafts()), markup=False)
        yield Footer()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_index == 0:
            self.app.begin(Draft.new("person"))
        else:
            self.app.begin(drafts()[event.option_index - 1])
