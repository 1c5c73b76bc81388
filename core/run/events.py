"""What a job says while it works: one JSON object a line in ``events.jsonl``.

The command line, the screens and a script of the user's all read the same lines. Every event has
``kind`` and ``time`` (seconds since 1970). Readers ignore kinds and fields they do not know, and
empty lines. Numbers that are not finite are written as null. Steps and epochs count from 1, and a
step is an optimizer step.

After a kill and a resume the same steps may appear again, after a new ``started``: the later ones
count.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NotRequired, TypedDict

Event = dict[str, Any]
DONE = {"saved": "saved", "sample": "drew"}
"""Kinds of events that name a finished file, and what to say of it."""
_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 20


class Started(TypedDict):
    """``started``: a job has taken the run directory."""

    what: str
    version: str
    attempt: int
    """1, or more after a resume."""
    ends_at: NotRequired[float]
    """When everything is on the disk at the latest, in seconds since 1970; see `core.run.limits`,
    as for ``because`` and ``then``."""
    because: NotRequired[str]
    then: NotRequired[str]


class Device(TypedDict):
    """``device``: what this attempt computes on."""

    name: str
    """The GPU's, as `hardware.Gpu` has it, or ``cpu``."""


class GoingOn(TypedDict):
    """``going_on``: the state that a resume takes up was found whole."""

    step: int
    """0: there is none, and it begins again."""


class Phase(TypedDict):
    """``phase``: what the job turns to (``cache latents``, ``train``); `core.run.wording` has the
    words for people."""

    phase: str
    total: int | None
    """How many items or steps it has, where that is known."""


class Progress(TypedDict):
    """``progress``: a sign of life within a phase, twice a second at most."""

    phase: str
    done: int
    total: int | None


class Step(TypedDict):
    """``step``: one optimizer step is done."""

    step: int
    total: int
    epoch: int
    epochs: NotRequired[int]
    loss: float | None
    learning_rates: NotRequired[dict[str, float]]
    """By part: ``unet``, ``text_encoder``; with LoRA+ also ``unet up``. ``effective`` is what an
    optimizer that works out its own made of them."""
    gradient_norm: NotRequired[float]
    scaled_layers: NotRequired[int]
    """How many layers of the network were longer than ``network.max_norm``."""
    mean_norm: NotRequired[float]
    """Of all layers, after that."""
    memory: NotRequired[int]
    """Highest use of the GPU's memory so far, in bytes."""


class Saved(TypedDict):
    """``saved``: a finished file is on the disk, verified."""

    path: str
    """Relative to the run directory, as in ``sample``."""
    step: int
    epoch: int
    sha256: str
    bytes: int
    last: NotRequired[bool]
    """Whether it is the run's final file."""


class SampleDrawn(TypedDict):
    """``sample``: a sample picture is on the disk."""

    path: str
    step: int
    epoch: int
    prompt: str
    seed: NotRequired[int]


class Published(TypedDict):
    """``published``: the final file was copied to where it is used."""

    path: str
    """Of the copy, absolute."""


class ProblemSeen(TypedDict):
    """``problem``: something a person should know; fields as in `core.errors.Problem`."""

    message: str
    severity: str
    where: NotRequired[str]
    remedy: NotRequired[str]


class Stopping(TypedDict):
    """``stopping``: a stop was asked for and is being obeyed."""

    by: str
    """``request``, the signal's name, or which limit is reached, in words."""


class Validation(TypedDict):
    """``validation``: the loss of pictures that are not trained on, after ``step`` steps."""

    step: int
    loss: float | None


class MeasuredOutcome(TypedDict):
    """``measured``: after ``finished``, how well the run learned what it should have; fields as in
    `core.run.measure.Measurement`."""

    learned: bool
    words: list[str]
    figures: dict[str, float]


class Paused(TypedDict):
    """``paused``: the state of ``step`` is saved, and the job rests with all it has in memory until
    ``resumed``, which has nothing to add, or until it is stopped."""

    step: int


class Failed(TypedDict):
    """``failed``: the run ended with an error. ``finished`` and ``stopped`` have nothing to add."""

    title: str
    message: str
    remedy: str


class EventWriter:
    """Appends events; nothing that happens to the file reaches the caller.

    One ``write`` per line on an O_APPEND descriptor: several processes may write the same file and
    no line is torn. On a full disk a write may be short; the next line then begins with a newline,
    so that only the torn one is lost, and says how many were.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lost = 0
        self._torn = False
        self._descriptor = -1
        self._open()

    def emit(self, kind: str, **fields: Any) -> bool:
        """Append one event; False when it could not be written whole."""
        if self._descriptor < 0:
            self._open()
        if self._lost and self._write(_lost_event(self._lost)):
            self._lost = 0
        written = self._write({"kind": kind, "time": time.time(), **fields})
        self._lost += not written
        return written

    def close(self) -> None:
        """Close the file; harmless when done before."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o666)
            size = os.fstat(self._descriptor).st_size
            self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def _write(self, event: Event) -> bool:
        line = (b"\n" if self._torn else b"") + encode(event)
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            return False
        self._torn = written < len(line)
        return not self._torn


def problem_text(event: Event) -> str:
    """A ``problem`` as one line; not yet safe to show."""
    said = (event.get(part) for part in ("severity", "where", "message"))
    return in_sentences(": ".join(str(part) for part in said if part), event.get("remedy"))


def in_sentences(*parts: object) -> str:
    """What there is of ``parts``, which may or may not end in a full stop, in one line."""
    there = [" ".join(str(part).split("\n")) for part in parts if part]
    return " ".join([*(f"{part.rstrip('.')}." for part in there[:-1]), *there[-1:]])


def encode(event: Event) -> bytes:
    """One line, with its newline. ASCII, so that any file name survives; anything JSON does not
    know becomes its string."""
    try:
        text = json.dumps(event, allow_nan=False, default=str, separators=(",", ":"))
    except (ValueError, TypeError):
        text = json.dumps(_finite(event), default=str, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def decode(line: bytes) -> Event | None:
    """The event of a line; None for anything that is not one."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("kind"), str):
        return None
    return event


class EventReader:
    """Reads a growing file in portions, each up to the last newline.

    ``offset`` is where the next portion begins; pass it to go on where another reader stopped.
    Memory stays flat whatever is in the file: a line beyond 1 MiB is skipped.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset
        self._skipping = False

    def read(self) -> list[Event]:
        """The events that were added since the last call; what is no event is passed over."""
        return [event for line in self.lines() if (event := decode(line)) is not None]

    def lines(self) -> Iterator[bytes]:
        """As `read`, but the lines themselves, whether events or not."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if os.fstat(descriptor).st_size < self.offset:
                self.offset, self._skipping = 0, False
            while block := os.pread(descriptor, _BLOCK, self.offset):
                end = block.rfind(b"\n") + 1
                if end == 0:
                    if len(block) < _LONGEST_LINE:
                        return
                    self._skipping, self.offset = True, self.offset + len(block)
                    continue
                self.offset += end
                portion = block[: end - 1].split(b"\n")
                yield from portion[1:] if self._skipping else portion
                self._skipping = False
        except OSError:
            return
        finally:
            os.close(descriptor)


def _lost_event(count: int) -> Event:
    return {
        "kind": "problem",
        "time": time.time(),
        "severity": "warning",
        "message": f"{count} lines of the event log could not be written",
        "remedy": "The disk was probably full.",
    }


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
