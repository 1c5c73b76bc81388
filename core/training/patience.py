"""A disk that refuses for a while: hours of training are not lost for a file that cannot be written
now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..files import WriteError
from ..run.job import Job

Result = TypeVar("Result")
_FIRST_REST, _LONGEST_REST = 1.0, 15.0
"""Seconds between two tries; each rest is twice the one before."""
_GLANCE = 0.1
PHASE = "wait for the disk"


def persistently(job: Job, write: Callable[[], Result]) -> Result:
    """What ``write`` gives, as soon as the disk takes it.

    The run rests meanwhile, with all that it has learned in memory. Raises WriteError for what
    waiting cannot mend, and for anything when a stop is asked for.
    """
    rest = _FIRST_REST
    while True:
        try:
            result = write()
        except WriteError as error:
            if not error.may_pass or job.stop_requested:
                raise
            if rest == _FIRST_REST:
                _tell(job, error)
        else:
            if rest > _FIRST_REST:
                job.reserve.keep()
            return result
        if not _rested(job, rest):
            return write()
        rest = min(_LONGEST_REST, 2 * rest)


def _tell(job: Job, error: WriteError) -> None:
    job.reserve.give()
    job.emit(
        "problem",
        severity="warning",
        message=f"{error.title}: {error.message}. The run waits, with nothing lost, and tries "
        "again by itself",
        remedy=error.remedy,
    )
    job.phase(PHASE)


def _rested(job: Job, seconds: float) -> bool:
    """False when a stop was asked for meanwhile: one last try is left."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if job.stop_requested:
            return False
        time.sleep(_GLANCE)
    job.progress(0)
    return True
