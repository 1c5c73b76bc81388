"""How earlier runs of this machine went: nothing tells the time and the memory of the next one
better."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from ..config import RunConfig
from ..errors import WizardError
from ..families import registry as families
from ..rehearsal.measured import Measured, rehearsals
from ..run.directory import RunDirectory, known_runs
from ..run.events import Event, EventReader
from ..run.status import integer, number
from .sizes import sample_pixels, training_pixels

_RUNS = 12
"""The newest are looked at."""
_LONGEST_EVENTS = 64 << 20
_ENOUGH_STEPS = 5


@dataclass(frozen=True)
class PastRun:
    """What an earlier run tells. Times in seconds, None where it never did the thing."""

    name: str
    family: str
    base: str
    precision: str
    checkpointing: bool
    pixels: int
    """Of a step: of a training picture x batch x accumulation."""
    batches: int
    """Gathered to a step."""
    device: str
    """What its last attempt computed on; empty when it does not say."""
    per_step: float
    """The median."""
    per_drawing: float | None = None
    """Per sample picture."""
    drawing_work: int = 0
    """Of a sample picture: its pixels x its steps."""
    per_save: float | None = None
    to_start: float | None = None
    """From the job's beginning to its first step."""
    memory: float | None = None
    """The highest use of the GPU's memory, in bytes."""
    config: RunConfig | None = None
    """What it was at the time."""
    per_encoding: float | None = None
    """Per picture of the dataset; None where ``to_start`` holds it."""


def past_runs() -> list[PastRun]:
    """The newest runs of this machine that tell something, the last first. Never raises."""
    found: list[tuple[float, PastRun]] = []
    for config, measured, when in rehearsals():
        # The family may have gone with the distribution that brought it.
        with contextlib.suppress(WizardError):
            found.append((when, _rehearsed(config, measured)))
    for directory in known_runs()[:_RUNS]:
        with contextlib.suppress(OSError, WizardError):
            status = directory.events_path.stat()
            if status.st_size <= _LONGEST_EVENTS:
                told = _remembered(directory.path, status.st_size, status.st_mtime_ns)
                found += [(status.st_mtime, told)] if told else []
    # Of a rehearsal and a run that are both like the one asked for, the newer tells.
    return [told for _, told in sorted(found, key=lambda item: -item[0])]


def _rehearsed(config: RunConfig, measured: Measured) -> PastRun:
    """A rehearsal is a run that was cut short."""
    return _past_run(
        "the rehearsal",
        config,
        device=measured.device,
        per_step=measured.per_step,
        per_drawing=measured.per_drawing,
        per_save=measured.per_save,
        to_start=measured.to_start,
        memory=max(measured.memory or 0, measured.drawing_memory or 0) or None,
        per_encoding=measured.per_encoding or 0.0,
    )


def _past_run(name: str, config: RunConfig, **measured: Any) -> PastRun:
    """With what the configuration says of it beside what was ``measured``."""
    spec, training = families.find(config.model.family), config.training
    batches = training.gradient_accumulation
    return PastRun(
        name=name,
        family=config.model.family,
        base=config.model.base,
        precision=config.model.precision,
        checkpointing=training.gradient_checkpointing,
        pixels=training_pixels(config, spec) * training.batch_size * batches,
        batches=batches,
        drawing_work=sample_pixels(config, spec) * config.samples.steps,
        config=config,
        **measured,
    )


@lru_cache(maxsize=_RUNS * 2)
def _remembered(path: Path, size: int, modified_ns: int) -> PastRun | None:
    del size, modified_ns  # they tell one state of the file from another
    directory = RunDirectory(path)
    config = directory.config()
    clock = _Clock()
    for event in EventReader(directory.events_path).read():
        clock.add(event)
    return clock.told(directory.name, config)


class _Clock:
    """Takes the times from a run's events."""

    def __init__(self) -> None:
        self._phase, self._phase_began = "", 0.0
        self._started: float | None = None
        self._step: int | None = None
        self._at = 0.0
        self._steps: list[float] = []
        self._saves: list[float] = []
        self._drawings: list[float] = []
        self._to_start: list[float] = []
        self._memory: float | None = None
        self._device = ""

    def add(self, event: Event) -> None:
        at = number(event.get("time"))
        if at is None:
            return
        match event["kind"]:
            case "started":
                self._started, self._step = at, None
            case "device":
                self._take_device(str(event.get("name", "")))
            case "phase":
                self._turn(str(event.get("phase", "")), at)
            case "step":
                self._take_step(event, at)
            case "sample":
                # The first of a row pays for what is loaded to draw.
                self._drawings.append(at - self._at)
                self._at = at
            case _:
                pass

    def told(self, name: str, config: RunConfig) -> PastRun | None:
        """What there is to tell; None after too few steps."""
        if len(self._steps) < _ENOUGH_STEPS:
            return None
        return _past_run(
            name,
            config,
            device=self._device,
            per_step=median(self._steps),
            per_drawing=_median(self._drawings),
            per_save=_median(self._saves),
            to_start=_median(self._to_start),
            memory=self._memory,
        )

    def _turn(self, phase: str, at: float) -> None:
        if self._phase == "save":
            self._saves.append(at - self._phase_began)
        if phase == "train" and self._started is not None:
            self._to_start.append(at - self._started)
            self._started = None
        # The step that follows another phase waited for it.
        self._step, self._phase, self._phase_began, self._at = None, phase, at, at

    def _take_device(self, name: str) -> None:
        if self._device and name != self._device:
            # What another device took tells nothing of this one.
            for times in (self._steps, self._saves, self._drawings, self._to_start):
                times.clear()
            self._memory = None
        self._device = name

    def _take_step(self, event: Event, at: float) -> None:
        step = integer(event.get("step"))
        if self._step is not None and step == self._step + 1 and at > self._at:
            self._steps.append(at - self._at)
        self._step, self._at = step, at
        if (memory := number(event.get("memory"))) is not None:
            self._memory = max(self._memory or 0.0, memory)


def _median(values: Iterable[float]) -> float | None:
    there = [value for value in values if value >= 0]
    return median(there) if there else None
