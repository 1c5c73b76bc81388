"""The screen `results` of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, Static

from ...core.run.directory import RunDirectory
from ..widgets.text import shown

if TYPE_CHECKING:
    from ..app import WizardApp


class ResultsScreen(Screen[None]):
    """One run."""

    app: WizardApp

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run_directory = run

    def compose(self) -> ComposeResult:
        yield Static(shown(str(self.run_directory.path)))
        yield Footer()
