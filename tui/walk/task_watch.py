"""Watching a job that trains nothing: how far it is, and what it has just made."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.run.events import Event, EventReader
from ...core.run.status import RunStatus, Tracker
from ...core.run.tasks import TaskDirectory
from ...core.run.wording import phase_in_words
from ..views import duration

_RECENT = 20
_BAR = 24


@dataclass(frozen=True)
class TaskNews:
    """How it is doing."""

    status: RunStatus
    events: Sequence[Event]
    """Since the last look."""
    seconds_left: float | None = None
    per_second: float | None = None
    """How many items of the phase are done in a second, of late."""

    @property
    def is_over(self) -> bool:
        return self.status.state not in ("live", "new")

    def in_words(self) -> str:
        """A line for people."""
        status = self.status
        if status.state == "failed":
            return (status.error or {}).get("title", "It failed.")
        if status.state == "stopped":
            return "Stopped. What was done stays, and it can go on."
        if status.state == "killed":
            return "It was ended from outside. What was done stays, and it can go on."
        if status.state == "finished":
            return "Done."
        words = phase_in_words(status.phase) if status.phase else "starting"
        if status.phase_total and status.done is not None:
            words = f"{_bar(status.done, status.phase_total)} {status.done} of {status.phase_total}"
        if status.stopping:
            return f"{words}, stopping"
        if self.seconds_left is not None:
            words += f", {duration(self.seconds_left)} left"
        return words


class TaskWatch:
    """Reads one task's events; for one thread."""

    def __init__(self, directory: TaskDirectory) -> None:
        self.directory = directory
        self._reader = EventReader(directory.events_path)
        self._tracker = Tracker()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RECENT)

    def read(self) -> TaskNews:
        """What is new. Raises WizardError when its record cannot be read."""
        # Asked before reading: what a job wrote before it went is then read below.
        live = self.directory.is_live()
        events = list(self._reader.read())
        for event in events:
            self._tracker.add(event)
            if event["kind"] == "phase":
                self._marks.clear()
            if event["kind"] == "progress" and isinstance(event.get("done"), int):
                self._marks.append((float(event.get("time", 0.0)), event["done"]))
        status = self._tracker.status(self.directory)
        rate = self._rate() if live else None
        return TaskNews(status, events, self._left(status, rate), rate)

    def _rate(self) -> float | None:
        if len(self._marks) < 2:
            return None
        (began, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / (now - began) if now > began and last > first else None

    def _left(self, status: RunStatus, rate: float | None) -> float | None:
        if rate is None or not status.phase_total or status.done is None:
            return None
        return (status.phase_total - self._marks[-1][1]) / rate


def _bar(done: int, total: int) -> str:
    full = round(_BAR * done / total)
    return "█" * full + "░" * (_BAR - full)
