"""How well a run learned what it should have, measured when the training is over.

A job beside the run, with a lock of its own: the run's record goes on saying how the training
ended, and whoever watches sees a run that has finished. It only reads the run's files, and leaves
`RESULT_FILE`. Whoever watches a run starts it, in a thread; where nobody does, nothing is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import EXIT_FAILED, WizardError
from ..files import write_json
from .directory import RunDirectory
from .events import EventWriter
from .launch import start_detached
from .lock import RunLock, is_live
from .redaction import without_secrets
from .streams import append_line

MODULES = {"demo": "lora_wizard.core.demo.outcome"}
"""`RunRecord.measure` -> the module that runs the job."""
RESULT_FILE = "measured.json"
_LOCK = "measure.lock"
_REST = 0.02
_WORDS = 20


class MeasureError(WizardError):
    """A run has finished, and what it learned is not known."""

    exit_code = EXIT_FAILED


@dataclass(frozen=True)
class Measurement:
    """What was measured."""

    learned: bool
    words: tuple[str, ...]
    """Sentences with their numbers, for people; from a file, so not yet safe to show."""
    figures: dict[str, float]
    """The same for programs."""


def measurement(run: RunDirectory) -> Measurement | None:
    """What was measured of a run; None when nothing was, or when its file is damaged."""
    try:
        stored = json.loads((run.path / RESULT_FILE).read_bytes())
        words = tuple(str(sentence) for sentence in stored["words"][:_WORDS])
        return Measurement(stored["learned"] is True, words, dict(stored["figures"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def is_wanted(run: RunDirectory) -> bool:
    """Whether there is something to measure that has not been. Raises WizardError when the run's
    record is damaged."""
    record = run.record()
    if record.measure not in MODULES or record.outcome != "finished":
        return False
    return not run.is_live() and measurement(run) is None


def is_going_on(run: RunDirectory) -> bool:
    """Whether a job measures the run now."""
    return is_live(run.path / _LOCK)


def begin(run: RunDirectory) -> subprocess.Popen[bytes] | None:
    """Start the measuring of a finished run in a process of its own, and return when it has begun;
    None when there is nothing to measure, or when somebody else has begun.

    Raises StartError when it cannot be started; what goes wrong later is in the run's events.
    """
    if is_going_on(run) or not is_wanted(run):
        return None
    process = start_detached(run, MODULES[run.record().measure])
    while process.poll() is None and not is_going_on(run):
        time.sleep(_REST)
    return process


def measure_run(path: Path | str, work: Callable[[RunDirectory], Measurement]) -> int:
    """Do ``work`` for the run at ``path`` and write down what it found; returns the exit status:
    the body of a measuring module's ``__main__``. Import torch inside of ``work``."""
    run = RunDirectory.open(path)
    try:
        lock = RunLock.take(run.path / _LOCK)
    except WizardError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    events = EventWriter(run.events_path)
    try:
        found = asdict(work(run))
        write_json(run.path / RESULT_FILE, found)
        events.emit("measured", **found)
        return 0
    except Exception as error:
        # A run that has finished stays so; what it learned is then not known, and why is told.
        append_line(run.log_path, without_secrets("".join(traceback.format_exception(error))))
        events.emit("problem", **without_secrets(_problem(run, error)))
        return EXIT_FAILED
    finally:
        events.close()
        lock.release()


def _problem(run: RunDirectory, error: Exception) -> dict[str, Any]:
    said = error.title if isinstance(error, WizardError) else f"{type(error).__name__}: {error}"
    return {
        "severity": "warning",
        "message": f"what it learned could not be measured: {said}",
        "remedy": f"The full report is at the end of {run.log_path}.",
    }
