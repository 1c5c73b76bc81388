"""Starting a rehearsal, and hearing what it found. No torch."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..config import RunConfig
from ..errors import EXIT_FAILED, WizardError
from ..places import cache_folder
from ..run.directory import RunDirectory
from ..run.events import Event, EventReader
from ..run.launch import launch
from ..run.wording import phase_in_words
from .measured import Measured

MODULE = "lora_wizard.core.rehearsal"
PHASES = {
    "load model": "loading the model",
    "rehearse a step": "taking steps at the largest size",
    "rehearse a save": "saving",
    "rehearse a sample": "drawing a sample",
    "find the largest batch": "looking for the largest batch that fits",
}
"""What those are that only a rehearsal has, and its longest, for people."""
_GLANCE = 0.1
_STALE = 600.0
"""Seconds without a change."""


class RehearsalError(WizardError):
    """The rehearsal did not come to its end."""

    exit_code = EXIT_FAILED


def begin(config: RunConfig) -> tuple[RunDirectory, subprocess.Popen[bytes]]:
    """Start rehearsing ``config``, in a folder of its own that `clear` removes. Raises StartError,
    WizardError."""
    folder = str(_sweep())
    output = config.output.model_copy(update={"folder": folder, "publish_to": ""})
    elsewhere = config.model_copy(update={"output": output})
    directory = RunDirectory.create(elsewhere, what="rehearse")
    try:
        return directory, launch(directory, MODULE)
    except BaseException:
        clear(directory)
        raise


def result(directory: RunDirectory) -> Measured:
    """What an ended rehearsal measured. Raises RehearsalError with why it did not."""
    failed: Event | None = None
    for event in EventReader(directory.events_path).read():
        if event["kind"] == "rehearsed":
            with contextlib.suppress(TypeError):
                known = Measured.__dataclass_fields__
                return Measured(**{name: event[name] for name in event if name in known})
        if event["kind"] == "failed":
            failed = event
    if failed is None:
        raise RehearsalError("The rehearsal was ended", "It measured nothing.")
    raise RehearsalError(
        f"The rehearsal failed: {failed.get('title', '')}",
        str(failed.get("message", "")),
        str(failed.get("remedy", "")),
    )


def warnings(directory: RunDirectory) -> list[str]:
    """What it met on the way."""
    return [
        str(event.get("message", ""))
        for event in EventReader(directory.events_path).read()
        if event["kind"] == "problem"
    ]


def rehearse(
    config: RunConfig, tell: Callable[[str], object], look: Callable[[], object] = lambda: None
) -> tuple[Measured, list[str]]:
    """Rehearse ``config``; (what was measured, what it met on the way). ``tell`` hears what it
    turns to, in words, and ``look`` is called many times a second: what either raises ends the
    rehearsal, of which nothing stays then. Raises RehearsalError, StartError, WizardError too."""
    directory, process = begin(config)
    try:
        reader, live = EventReader(directory.events_path), True
        while live:
            live = process.poll() is None
            for event in reader.read():
                if event["kind"] == "phase":
                    tell(_words(str(event["phase"])))
            look()
            if live:
                time.sleep(_GLANCE)
        return result(directory), warnings(directory)
    finally:
        end(process)
        clear(directory)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a rehearsal and its helpers; harmless when it has ended."""
    with contextlib.suppress(OSError):
        # Its own group, as of everything that `launch` starts.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _words(phase: str) -> str:
    return PHASES.get(phase, phase_in_words(phase))


def _sweep() -> Path:
    """The folder of rehearsals, without what was left by those that were killed with all that
    could have cleared it."""
    folder = cache_folder() / "rehearsals"
    with contextlib.suppress(OSError):
        for left in folder.iterdir():
            if left.stat().st_mtime < time.time() - _STALE and not RunDirectory(left).is_live():
                clear(RunDirectory(left))
    return folder


def clear(directory: RunDirectory) -> None:
    """Remove the rehearsal's folder."""
    if Path(directory.path).parent == cache_folder() / "rehearsals":
        shutil.rmtree(directory.path, ignore_errors=True)
