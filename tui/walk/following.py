"""Following a run in a thread until it ends or nobody looks at it any more."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from threading import Event

from ...core.errors import WizardError
from ...core.run import measure
from .watching import Portion, Watch

_TICK = 0.25
_TICK_PAUSED = 1.0


class Follower:
    """Reads what a run writes and tells it, one portion at a time: a slow line is not flooded.
    `follow` is for one thread, everything else for any."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._left, self._taken = Event(), Event()
        self._is_paused = False

    def follow(self, tell: Callable[[Portion], object]) -> None:
        """Give ``tell`` all portions until the run has ended or `leave` was called; after each,
        wait for `took`. Raises WizardError when the run's record cannot be read."""
        while not self._left.is_set():
            # Asked before reading: what a job wrote before it went is then read below.
            live = self._watch.run.is_live()
            portion = self._watch.read()
            if portion is not None:
                self._is_paused = portion.status.paused
                self._taken.clear()
                tell(portion)
                while not self._taken.wait(_TICK):
                    if self._left.is_set():
                        return
            if not live:
                # Before anybody asks what it learned; the results wait for the answer.
                with contextlib.suppress(WizardError):
                    measure.begin(self._watch.run)
                return
            self._left.wait(_TICK_PAUSED if self._is_paused else _TICK)

    def took(self) -> None:
        """The last portion is on the screen."""
        self._taken.set()

    def leave(self) -> None:
        """Nobody looks any more."""
        self._left.set()
