"""A rehearsal from the command line: started, waited for, gone."""

from __future__ import annotations

import sys
import time

from ..core.config import RunConfig
from ..core.errors import Problem
from ..core.rehearsal import start, words
from ..core.rehearsal.measured import Measured
from ..core.run import control
from ..core.run.directory import RunDirectory
from ..core.run.events import EventReader
from .terminal import redraws

_GLANCE = 0.1


def rehearse(config: RunConfig) -> tuple[Measured, list[Problem]]:
    """Rehearse ``config``, saying on stderr what it does; (what was measured, what that shows to be
    wrong). Ctrl-C ends it. Raises RehearsalError, StartError."""
    directory, process = start.begin(config)
    try:
        _watch(directory)
        process.wait()
        found = start.result(directory)
    except BaseException:
        if directory.is_live():
            control.kill(directory)
        process.wait()
        raise
    finally:
        start.clear(directory)
    return found, words.problems(found, config)


def _watch(directory: RunDirectory) -> None:
    reader, live = EventReader(directory.events_path), True
    is_terminal = redraws(sys.stderr)
    while live:
        live = directory.is_live()
        for event in reader.read():
            said = start.PHASES.get(str(event.get("phase"))) if event["kind"] == "phase" else None
            if said:
                sys.stderr.write(f"\r\x1b[K{said} ..." if is_terminal else f"{said} ...\n")
                sys.stderr.flush()
        if live:
            time.sleep(_GLANCE)
    if is_terminal:
        sys.stderr.write("\r\x1b[K")
