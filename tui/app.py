"""The full-screen wizard: holds the draft and what is known of it, and moves between screens."""

from __future__ import annotations

import importlib
from typing import ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import get_current_worker

from ..core.run.directory import RunDirectory
from .screens.home import HomeScreen
from .screens.step import StepScreen
from .walk import steps
from .walk.assessment import Assessment, Assessor
from .walk.draft import Draft

_PAUSE = 0.15
"""Seconds without a key after which the draft is looked at again."""


class WizardApp(App[None]):
    """The app. A screen asks it for `draft`, tells it with `touch` that it changed the draft, and
    leaves with `go`, `go_home`, `watch_run` or `show_results`."""

    TITLE = "lora-wizard"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit", priority=True)]

    def __init__(self, first: Screen[None] | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.assessment: Assessment | None = None
        self._first = first
        self._draft: Draft | None = None
        self._assessor = Assessor()
        self._pause: Timer | None = None

    @property
    def draft(self) -> Draft:
        """The draft of the walk. Only screens of the walk ask."""
        assert self._draft is not None
        return self._draft

    def on_mount(self) -> None:
        self.push_screen(HomeScreen())
        if self._first:
            self.push_screen(self._first)

    def begin(self, draft: Draft) -> None:
        """Walk through ``draft`` from where it was left."""
        self._draft, self.assessment = draft, None
        draft.keep()
        self.push_screen(_screen(steps.find(draft.step).name))
        self.touch()

    def go(self, step: str) -> None:
        """To a step of the walk."""
        self.switch_screen(_screen(step))

    def go_home(self) -> None:
        """Leave the walk; the draft is kept."""
        self.pop_screen()

    def watch_run(self, run: RunDirectory) -> None:
        """To the monitor of a run."""
        from .screens.train import TrainScreen

        self.push_screen(TrainScreen(run))

    def show_results(self, run: RunDirectory) -> None:
        """To what a run has made."""
        from .screens.results import ResultsScreen

        self.push_screen(ResultsScreen(run))

    def touch(self) -> None:
        """The draft has changed: look at it again as soon as nobody types."""
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._assess)

    def look_again(self) -> None:
        """Forget what was found of base models and look at everything again."""
        self._assessor.forget_bases()
        self.touch()

    @work(thread=True, exclusive=True, group="assess")
    def _assess(self) -> None:
        worker, snapshot = get_current_worker(), self.draft.snapshot()

        def progress(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise _CancelledError
            self.call_from_thread(self._show_progress, done, total)

        try:
            assessment = self._assessor.assess(snapshot, progress)
        except _CancelledError:
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._show_assessment, assessment)

    def _show_progress(self, done: int, total: int) -> None:
        if isinstance(self.screen, StepScreen):
            self.screen.show_progress(done, total)

    def _show_assessment(self, assessment: Assessment) -> None:
        self.assessment = assessment
        if isinstance(self.screen, StepScreen):
            self.screen.show_assessment(assessment)


class _CancelledError(Exception):
    """The draft has changed since."""


def _screen(step: str) -> StepScreen:
    module = importlib.import_module(f".screens.{step}", __package__)
    return getattr(module, f"{step.capitalize()}Screen")()
