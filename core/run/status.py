"""How a run is doing, from its files alone."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

from .directory import RunDirectory, RunRecord
from .events import Event, EventReader, decode, problem_text

State = Literal["new", "live", "finished", "stopped", "failed", "killed"]

SMOOTHING = 0.98
_RATE_WINDOW = 50
_PROBLEMS_KEPT = 100
_LARGEST = 1e100


@dataclass
class RunStatus:
    """What a person wants to know of a run. Fields are None, or empty, as long as unknown."""

    name: str
    path: str
    state: State
    """``new``: made, but no job ever held it; ``killed``: the job is gone and left no word."""
    created: float
    attempts: int
    exit_code: int | None
    error: dict[str, str] | None
    resume_helps: bool
    """False after an error that a resume would meet again."""
    pid: int | None
    phase: str = ""
    done: int | None = None
    """Of ``phase_total`` items of the phase."""
    phase_total: int | None = None
    step: int = 0
    total: int | None = None
    """All steps of the run."""
    epoch: int = 0
    epochs: int | None = None
    loss: float | None = None
    """Smoothed: an exponential mean over about 50 steps, without the pull to its beginning."""
    learning_rates: dict[str, float] = field(default_factory=dict)
    memory: int | None = None
    steps_per_second: float | None = None
    """Of the last steps, interruptions for saving and sampling left out."""
    eta_seconds: float | None = None
    """With such interruptions, as they were so far; without pauses that were asked for."""
    last_file: str = ""
    last_sample: str = ""
    problems: list[str] = field(default_factory=list)
    """The last hundred."""
    paused: bool = False
    """The job rests; it keeps its memory, the GPU's, too."""
    stopping: bool = False
    stopped_by: str = ""
    """What asked for the stop, as in the event ``stopping``."""
    ends_at: float | None = None
    """When it ends by itself at the latest, saved, in seconds since 1970; because of what; and the
    command that follows."""
    because: str = ""
    then: str = ""
    last_sign: float | None = None
    """When the job last said something, in seconds since 1970."""

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)


class Tracker:
    """Builds the figures of a `RunStatus` event by event, in flat memory.

    Events come from a file that anybody may have written: a field of the wrong type counts as
    absent.
    """

    def __init__(self) -> None:
        self.figures = Figures()

    def add(self, event: Event) -> None:
        """Take one event into account."""
        figures = self.figures
        figures.last_sign = number(event.get("time")) or figures.last_sign
        handler = _HANDLERS.get(event.get("kind", ""))
        if handler is not None:
            handler(figures, event)

    def status(self, directory: RunDirectory) -> RunStatus:
        """The figures together with the run's record and its lock."""
        live = directory.is_live()
        record = directory.record()
        shown = {
            name: value for name, value in vars(self.figures).items() if not name.startswith("_")
        }
        shown["paused"] = live and self.figures.paused
        # A snapshot: what is added later does not change it.
        shown["problems"] = list(self.figures.problems)
        return RunStatus(
            name=directory.name,
            path=str(directory.path),
            state=_state(record, live),
            created=record.created,
            attempts=record.attempts,
            exit_code=record.exit_code,
            error=record.error,
            resume_helps=record.resume_helps,
            pid=record.pid,
            steps_per_second=self.figures.steps_per_second(),
            eta_seconds=self.figures.eta_seconds() if live else None,
            **shown,
        )


def summary(directory: RunDirectory) -> RunStatus:
    """How ``directory`` is doing now. 100,000 events take about a second, and no
    memory to speak of."""
    tracker = Tracker()
    for line in EventReader(directory.events_path).lines():
        if (event := decode(line)) is not None:
            tracker.add(event)
    return tracker.status(directory)


def _state(record: RunRecord, live: bool) -> State:
    if live:
        return "live"
    if record.outcome == "created":
        return "new"
    return "killed" if record.outcome == "running" else record.outcome


class Figures:
    """The part of a status that the events tell."""

    def __init__(self) -> None:
        self.phase = ""
        self.done: int | None = None
        self.phase_total: int | None = None
        self.step = 0
        self.total: int | None = None
        self.epoch = 0
        self.epochs: int | None = None
        self.loss: float | None = None
        self.learning_rates: dict[str, float] = {}
        self.memory: int | None = None
        self.last_file = ""
        self.last_sample = ""
        self.problems: list[str] = []
        self.paused = False
        self.stopping = False
        self.stopped_by = ""
        self.ends_at: float | None = None
        self.because = ""
        self.then = ""
        self.last_sign: float | None = None
        self._mean = 0.0
        self._weight = 0.0
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None
        self._intervals: deque[float] = deque(maxlen=_RATE_WINDOW)
        self._paused_at: float | None = None

    def on_started(self, event: Event) -> None:
        self.phase, self.done, self.phase_total = "start", None, None
        self.problems, self.paused, self.stopping, self.stopped_by = [], False, False, ""
        self.ends_at = number(event.get("ends_at"))
        self.because, self.then = str(event.get("because", "")), str(event.get("then", ""))
        self._first = self._last = None
        self._intervals.clear()

    def on_phase(self, event: Event) -> None:
        self.phase = str(event.get("phase", ""))
        self.done, self.phase_total = None, integer(event.get("total"))

    def on_progress(self, event: Event) -> None:
        self.phase = str(event.get("phase", self.phase))
        self.done, self.phase_total = integer(event.get("done")), integer(event.get("total"))

    def on_step(self, event: Event) -> None:
        step = integer(event.get("step"))
        if step is None:
            return
        self.step, self.done = step, step
        self.total = integer(event.get("total")) or self.total
        self.epoch = integer(event.get("epoch")) or self.epoch
        self.epochs = integer(event.get("epochs")) or self.epochs
        self.memory = integer(event.get("memory")) or self.memory
        rates = event.get("learning_rates")
        if isinstance(rates, dict):
            self.learning_rates = {
                str(part): rate
                for part, value in rates.items()
                if (rate := number(value)) is not None
            }
        self._smooth(number(event.get("loss")))
        self._clock(number(event.get("time")), step)

    def on_saved(self, event: Event) -> None:
        self.last_file = str(event.get("path", ""))

    def on_sample(self, event: Event) -> None:
        self.last_sample = str(event.get("path", ""))

    def on_problem(self, event: Event) -> None:
        self.problems.append(problem_text(event))
        del self.problems[:-_PROBLEMS_KEPT]

    def on_paused(self, event: Event) -> None:
        self.paused, self._paused_at = True, number(event.get("time"))

    def on_resumed(self, event: Event) -> None:
        self.paused = False
        now = number(event.get("time"))
        if now is None or self._paused_at is None:
            return
        # As if the clock had stood still.
        rest, self._paused_at = now - self._paused_at, None
        if self._first is not None and self._last is not None:
            self._first = (self._first[0] + rest, self._first[1])
            self._last = (self._last[0] + rest, self._last[1])

    def on_stopping(self, event: Event) -> None:
        self.stopped_by = str(event.get("by", ""))
        self.stopping = True

    def steps_per_second(self) -> float | None:
        typical = median(self._intervals) if self._intervals else 0.0
        return 1 / typical if typical > 0 else None

    def eta_seconds(self) -> float | None:
        if self.total is None or self._first is None or self._last is None:
            return None
        seconds, steps = self._last[0] - self._first[0], self._last[1] - self._first[1]
        if steps <= 0 or seconds < 0:
            return None
        return max(0, self.total - self.step) * seconds / steps

    def _smooth(self, loss: float | None) -> None:
        if loss is None:
            return
        self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
        self._weight = SMOOTHING * self._weight + (1 - SMOOTHING)
        self.loss = self._mean / self._weight

    def _clock(self, now: float | None, step: int) -> None:
        if now is None:
            return
        if self._last is not None and step == self._last[1] + 1:
            self._intervals.append(now - self._last[0])
        else:
            self._first = None
        self._first = self._first or (now, step)
        self._last = (now, step)


_HANDLERS = {
    name.removeprefix("on_"): method
    for name, method in vars(Figures).items()
    if name.startswith("on_")
}


def integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > _LARGEST:
        return None
    return float(value) if math.isfinite(value) else None
