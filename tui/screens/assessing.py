"""What is known of the open draft, kept up to date while a person types."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.timer import Timer
from textual.worker import Worker, get_current_worker

from ..walk.assessment import Assessment, Assessor
from ..walk.draft import Draft, Snapshot
from .step import StepScreen

_PAUSE = 0.15
"""Seconds without a key after which the draft is looked at again."""
_GROUP = "assess"


class LiveAssessment:
    """Looks at a draft, in a thread, whenever it has changed and nobody types; the step that is
    there then shows what is known (`latest`)."""

    def __init__(self, app: App[None]) -> None:
        self.latest: Assessment | None = None
        self._app = app
        self._assessor = Assessor()
        self._draft: Draft | None = None
        self._pause: Timer | None = None

    def follow(self, draft: Draft) -> None:
        """From now on `look` is at ``draft``, of which nothing is known yet."""
        self._app.workers.cancel_group(self._app, _GROUP)
        self._draft, self.latest = draft, None

    def look(self) -> None:
        """The draft has changed: look at it as soon as nobody types."""
        # In the app's own name: what a screen begins remembers the screen.
        self._app.call_later(self._wait_for_pause)

    def look_again(self) -> None:
        """Forget what was found of base models and look at everything again."""
        self._assessor.forget_bases()
        self.look()

    def take(self, assessment: Assessment) -> None:
        """This is known now."""
        self.latest = assessment
        if not self._app.is_running:
            # Its screens are being taken down, and have lost their widgets.
            return
        screen = self._app.screen
        if isinstance(screen, StepScreen) and screen.is_mounted:
            screen.show_assessment(assessment)
        elif isinstance(screen, StepScreen):
            # On a busy machine its widgets may still be to come.
            screen.call_later(screen.show_assessment, assessment)

    def tell_progress(self, done: int, total: int) -> None:
        """So many pictures are looked at."""
        # Without its screens an app has none to ask for.
        if not self._app.is_running:
            return
        screen = self._app.screen
        if isinstance(screen, StepScreen) and screen.is_mounted:
            screen.show_progress(done, total)

    def _wait_for_pause(self) -> None:
        if self._pause:
            self._pause.stop()
        self._pause = self._app.set_timer(_PAUSE, self._begin)

    def _begin(self) -> None:
        if self._draft:
            snapshot = self._draft.snapshot()
            self._app.run_worker(
                lambda: self._assess(snapshot), thread=True, exclusive=True, group=_GROUP
            )

    def _assess(self, snapshot: Snapshot) -> None:
        worker: Worker[Any] = get_current_worker()

        def progress(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise _CancelledError
            self._app.call_from_thread(self.tell_progress, done, total)

        try:
            assessment = self._assessor.assess(snapshot, progress)
        except _CancelledError:
            return
        if not worker.is_cancelled:
            self._app.call_from_thread(self._assessed, worker, assessment)

    def _assessed(self, worker: Worker[Any], assessment: Assessment) -> None:
        # Another draft may have been opened since.
        if not worker.is_cancelled:
            self.take(assessment)


class _CancelledError(Exception):
    """The draft has changed since."""
