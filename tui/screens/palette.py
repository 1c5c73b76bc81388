"""The command palette: everything by its name, from every screen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from ..walk.steps import STEPS
from .home import HomeScreen
from .step import StepScreen

if TYPE_CHECKING:
    from ..app import WizardApp


def commands(app: WizardApp, screen: Screen[object]) -> Iterable[SystemCommand]:
    """What can be done from ``screen``."""
    if isinstance(screen, StepScreen):
        for place, step in enumerate(STEPS, 1):
            title = f"Step {place}: {step.title}"
            yield SystemCommand(title, step.purpose, partial(app.go, step.name))
        yield SystemCommand("Save", "Write the TOML", screen.action_save)
        yield SystemCommand("Save as", "Write the TOML under another name", screen.action_save_as)
    if not isinstance(screen, HomeScreen):
        yield SystemCommand("Home", "New, drafts, runs; the draft is kept", app.go_home)
    yield SystemCommand("Help", "This screen, its keys, and the words", app.action_explain)
    yield SystemCommand("Theme", "Other colours; they are remembered", app.action_change_theme)
    yield SystemCommand("Quit", "The draft is kept, and runs go on", app.action_quit)
