"""Starts a job in a process of its own, which no closed terminal and no dropped connection ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ..errors import EXIT_FAILED, WizardError
from .directory import RunDirectory
from .limits import Limits
from .lock import already_running, holder, is_ready

TRAINING = "lora_wizard.core.training"
_PATIENCE = 120.0
_LOG_LINES = 15
_LITTLE = 1 << 20


class StartError(WizardError):
    """The job ended before it took its run directory."""

    exit_code = EXIT_FAILED


def launch(
    directory: RunDirectory, module: str = TRAINING, limits: Limits | None = None
) -> subprocess.Popen[bytes]:
    """Start ``python -P -m module RUN`` detached, and return when it holds the directory, or has
    already ended after holding it.

    A session of its own: no terminal, no SIGHUP. Output goes to trainer.log, never to a pipe that
    somebody would have to empty. ``-P``: a folder called ``core`` or ``torch`` where the person
    happens to stand is not imported instead of ours; the working folder is the run's own, so that
    what libraries drop lands there. ``limits`` are those of this start.

    Raises AlreadyRunningError when a job is there already, StartError with the end of the log when
    the new one ended at once or never came up.
    """
    if directory.is_live():
        raise already_running(directory.lock_path, holder(directory.lock_path))
    attempts = directory.record().attempts
    log_start = _size(directory.log_path)
    process = start_detached(directory, module, limits)
    deadline = time.monotonic() + _PATIENCE
    while not (is_ready(directory.lock_path) and holder(directory.lock_path) == process.pid):
        if process.poll() is not None:
            if other := holder(directory.lock_path):
                # Of several that were started at once, another was first.
                raise already_running(directory.lock_path, other)
            if directory.record().attempts > attempts:
                return process
            raise _start_error(directory, log_start, f"It ended with status {process.returncode}.")
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise _start_error(directory, log_start, f"It did not come up in {_PATIENCE:.0f} s.")
        time.sleep(0.02)
    return process


def start_detached(
    directory: RunDirectory, module: str, limits: Limits | None = None
) -> subprocess.Popen[bytes]:
    """Start ``python -P -m module RUN`` as `launch` does, and do not wait. Raises StartError when
    there is no process."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        log = os.open(directory.log_path, flags, 0o666)
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(directory.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory.path,
                env={**os.environ, **(limits or Limits()).environment},
                start_new_session=True,
            )
        finally:
            os.close(log)
    except OSError as error:
        raise StartError(
            "The job could not be started",
            f"{directory.path}: {error.strerror or error}",
            "Look at the folder's permissions, the disk, and the memory.",
        ) from error


def _start_error(directory: RunDirectory, log_start: int, what: str) -> StartError:
    lines = [what]
    try:
        with directory.log_path.open("rb") as log:
            log.seek(log_start)
            text = log.read()[-(1 << 16) :].decode("utf-8", "replace")
            lines.extend(text.splitlines()[-_LOG_LINES:])
    except OSError as error:
        lines.append(f"Its log cannot be read: {error.strerror or error}.")
    if shutil.disk_usage(directory.path).free < _LITTLE:
        lines.append("The disk is full.")
    return StartError(
        "The job did not start",
        "\n".join(lines),
        f"All of it is in {directory.log_path}.",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
