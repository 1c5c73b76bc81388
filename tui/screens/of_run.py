"""To the screens of a run. They bring Pillow along: Home is painted before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.run.directory import RunDirectory

if TYPE_CHECKING:
    from ...core.run.limits import Limits
    from ..app import WizardApp


def start_run(app: WizardApp, run: RunDirectory, limits: Limits | None = None) -> None:
    """Start a job in ``run`` within ``limits``, or go on with it, and go to the monitor; says why
    when it does not come up."""
    from .starting import StartingScreen

    app.push_screen(StartingScreen(run, limits))


def watch_run(app: WizardApp, run: RunDirectory) -> None:
    """To the monitor of a run."""
    from .train import TrainScreen

    app.push_screen(TrainScreen(run))


def show_results(app: WizardApp, run: RunDirectory) -> None:
    """To what a run has made."""
    from .results import ResultsScreen

    app.push_screen(ResultsScreen(run))
