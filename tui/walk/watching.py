"""What a monitor of a run reads: events, log and state, a portion at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock

from ...core.run.directory import RunDirectory
from ...core.run.events import Event, EventReader, decode
from ...core.run.history import Column, History, SampleMark, SaveMark
from ...core.run.status import RunStatus, Tracker
from ..log_file import LogTail

LOG_LINES = 1000
_PORTION = 256
_TELLING = frozenset(
    ("saved", "sample", "published", "paused", "resumed", "stopping", "stopped", "finished")
)
"""Kinds that answer what somebody asked for."""


@dataclass(frozen=True)
class Curves:
    """What a plot of ``first_step`` to ``last_step`` shows."""

    first_step: int
    last_step: int
    loss: list[Column]
    validation: list[Column]
    epochs: list[tuple[int, int]]
    """(first step, epoch)."""
    not_finite: list[int]
    """Steps whose loss was no number."""


@dataclass(frozen=True)
class Portion:
    """What is new since the last portion."""

    status: RunStatus
    silent_minutes: int
    """For how long a job that is not paused has given no sign of life."""
    log: Sequence[str]
    told: Sequence[Event]
    """Answers to requests, of this portion; none in the first, which is the past."""
    is_first: bool


class Watch:
    """Reads one run; `read` is for one thread, everything else for any."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._reader, self._tracker = EventReader(run.events_path), Tracker()
        self._log = LogTail(run.log_path, LOG_LINES)
        self._history = History()
        self._lock = Lock()
        self._before: tuple[RunStatus, int] | None = None

    def read(self) -> Portion | None:
        """What has happened since the last call; None when nothing has. 100,000 events take about
        a second. Raises WizardError when the run's record cannot be read."""
        told: list[Event] = []
        lines = self._reader.lines()
        while portion := list(islice(lines, _PORTION)):
            events = [event for line in portion if (event := decode(line)) is not None]
            with self._lock:
                for event in events:
                    self._tracker.add(event)
                    self._history.add(event)
            told += [event for event in events if event["kind"] in _TELLING]
        log = self._log.read()
        status = self._tracker.status(self.run)
        silent = _silent_minutes(status)
        # A sign of life alone changes nothing that is on the screen.
        now = replace(status, last_sign=None), silent
        before, self._before = self._before, now
        if now == before and not log and not told:
            return None
        return Portion(status, silent, log, told if before else (), before is None)

    def curves(self, columns: int, first_step: int, last_step: int) -> Curves:
        """The curves between two steps, in at most ``columns`` columns."""
        with self._lock:
            loss, validation = self._history.loss, self._history.validation
            return Curves(
                first_step,
                last_step,
                loss.columns(columns, first_step, last_step),
                validation.columns(columns, first_step, last_step),
                self._history.epochs,
                loss.not_finite,
            )

    @property
    def last_step(self) -> int:
        """The last step that is known."""
        return self._history.last_step

    def samples(self) -> list[SampleMark]:
        """All sample pictures, by step and prompt."""
        with self._lock:
            return self._history.samples

    def saves(self) -> list[SaveMark]:
        """All finished files, by step."""
        with self._lock:
            return self._history.saves


def _silent_minutes(status: RunStatus) -> int:
    if status.state != "live" or status.paused or status.last_sign is None:
        return 0
    return max(0, int(time.time() - status.last_sign) // 60)
