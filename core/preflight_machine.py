"""What is odd about the machine itself: its clock, and disks that have room but no more files."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from .dataset.plan import DatasetPlan
from .errors import Problem, WizardError
from .places import cache_folder, existing
from .schedule import Schedule

_RELEASED = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
"""Before that there was no lora-wizard."""
_FILES_OF_A_RUN = 100
_FILES_OF_A_SAVE = 8
_FILES_OF_A_PICTURE = 2
"""In the cache: the picture and its caption, encoded."""


def clock_problems(now: float | None = None) -> Iterator[Problem]:
    """A clock that stands before lora-wizard was made: no server's certificate is valid then, and
    no time to end at is right."""
    now = time.time() if now is None else now
    if now < _RELEASED:
        moment = datetime.fromtimestamp(now, UTC)
        yield Problem(
            f"this machine's clock says {moment:%Y-%m-%d}: downloads will fail",
            remedy="Set it: `date -s`, or ask whoever runs the machine.",
            severity="warning",
        )


def file_count_problems(folder: Path, plan: DatasetPlan, schedule: Schedule) -> Iterator[Problem]:
    """Disks on which no more files can be made, though they may have room: ``folder`` is where the
    run goes."""
    saves, drawn = len(schedule.save_steps()), len(schedule.sample_steps())
    needed = {existing(folder): _FILES_OF_A_RUN + _FILES_OF_A_SAVE * saves + drawn}
    # That there is no folder for the cache is said where the cache is looked at.
    with contextlib.suppress(WizardError):
        cached_at = existing(cache_folder())
        of_cache = _FILES_OF_A_PICTURE * len(plan.samples)
        needed[cached_at] = needed.get(cached_at, 0) + of_cache
    for there, files in needed.items():
        left = _files_left(there)
        if left is not None and left < files:
            yield Problem(
                f"the run makes about {files:,} files, and the disk takes {left:,} more, however "
                "much room it has",
                "output.folder" if there == existing(folder) else str(there),
                remedy="Remove folders of many small files (`df -i` shows how many there are), or "
                "choose another disk.",
            )


def _files_left(folder: Path) -> int | None:
    """None where the disk has no such limit, or does not say."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_favail if disk.f_files else None
