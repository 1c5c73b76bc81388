"""Jobs that are no training run: finding captions for a folder, drawing regularization images.

A task's directory is a run's (`core.run.directory`: the same lock, record, events, log and control
folder), with ``task.json`` instead of ``config.toml``. There is one for each kind of task and
folder, in ``$XDG_STATE_HOME/lora-wizard/jobs``, and the next start of the same takes it up again
with what it holds. It is not listed among the runs.

::

    directory, process = begin("caption", folder, {"captioner": "blip"}, MODULE, command=words)

and in the job (``python -m MODULE DIRECTORY``)::

    def work(job: Job) -> None:
        values = TaskDirectory(job.directory.path).values()

    sys.exit(run_job(sys.argv[1], work))
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import WizardError
from ..files import write_json
from ..places import state_folder
from .directory import TRAIN, RunDirectory, RunRecord, wizard_version
from .launch import launch
from .lock import already_running, holder


class TaskDirectory(RunDirectory):
    """The directory of one kind of task about one folder. `task_directory` names it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.task_path = path / "task.json"

    @property
    def exists(self) -> bool:
        """Whether the task was ever begun."""
        return self.record_path.is_file()

    def about(self) -> Path:
        """The folder, or file, that the task is about. Raises WizardError."""
        return Path(str(self._task()["about"]))

    def values(self) -> dict[str, Any]:
        """What the task was begun with last. Raises WizardError."""
        values = self._task()["values"]
        return values if isinstance(values, dict) else {}

    def _task(self) -> dict[str, Any]:
        try:
            task = json.loads(self.task_path.read_bytes())
            return {"about": task["about"], "values": task["values"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WizardError(
                "It cannot be read what was to be done",
                f"{self.task_path}: {error}",
                "Start it again.",
            ) from error


def task_directory(what: str, about: Path | str) -> TaskDirectory:
    """The directory of the task ``what`` about ``about``, whether it is there yet or not. However
    a folder is named, by a link or by a relative path, it is the same one."""
    place = os.fsencode(os.path.realpath(about))
    name = hashlib.blake2b(place, digest_size=16).hexdigest()
    return TaskDirectory(state_folder() / "jobs" / f"{what}-{name}")


def begin(
    what: str,
    about: Path | str,
    values: Mapping[str, Any],
    module: str,
    *,
    command: Sequence[str] = (),
) -> tuple[TaskDirectory, subprocess.Popen[bytes]]:
    """Start ``python -m module`` on the task's directory, as `launch` does, with ``values``: plain
    ones, as JSON has them, and no secret. ``command`` is what a person types to begin it again.

    The directory is made, or taken up again: its events begin anew, its log and whatever the job
    has put there stay. Of any number who begin the same at once, one does.

    Raises AlreadyRunningError while the task goes on, with its values untouched, WriteError, and
    StartError.
    """
    if what == TRAIN:
        raise ValueError("a training run is no task")
    directory = task_directory(what, about)
    with _beginning(directory):
        if directory.is_live():
            raise already_running(directory.lock_path, holder(directory.lock_path))
        record = _record(directory, what)
        place = os.path.abspath(about)  # noqa: PTH100 - no link is followed: it is to be shown
        write_json(directory.task_path, {"about": place, "values": dict(values)})
        directory.write_record(replace(record, command=list(command)))
        directory.events_path.unlink(missing_ok=True)
        return directory, launch(directory, module)


@contextlib.contextmanager
def _beginning(directory: TaskDirectory) -> Iterator[None]:
    """Nobody else begins the task meanwhile; the job's own lock is taken too late for that, when
    the values are written already."""
    path = directory.path / "beginning"
    try:
        directory.control_path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise WizardError(
            "The job's folder cannot be made",
            f"{directory.path}: {error.strerror or error}",
            "Make room for it, change the folder's permissions, or name another: "
            "export XDG_STATE_HOME=/path/to/it",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _record(directory: TaskDirectory, what: str) -> RunRecord:
    """What is known of it from before, unless that is damaged: nothing hangs on it."""
    if directory.exists:
        with contextlib.suppress(WizardError):
            return directory.record()
    return RunRecord(what, wizard_version(), time.time())
