"""One wizard per draft: two that write the same one would undo each other's keys.

The kernel holds the lock, so that a wizard that was killed holds nothing. A connection that was
cut may leave its wizard alive for hours, though, until the server notices: hence `take_over`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import time
from pathlib import Path

from ...core.errors import WizardError
from ...core.run.lock import AlreadyRunningError, RunLock, holder
from .draft import Draft

_PATIENCE = 5.0


class HeldError(WizardError):
    """Another wizard has the draft open."""


class Hold:
    """A draft that is open here. Let go of it with `release`."""

    def __init__(self, draft: Draft) -> None:
        """Raises HeldError when another wizard has it."""
        self._path = draft.path.with_suffix(".lock")
        self._lock: RunLock | None = None
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = RunLock.take(self._path)
        except AlreadyRunningError:
            raise HeldError(
                "This draft is open in another wizard",
                f"Process {holder(self._path)}, perhaps of a connection that was cut.",
                "Continue here and end the other one, or work on a copy.",
            ) from None
        except WizardError:
            # A state folder that cannot be written keeps no draft that could be overwritten.
            pass

    def release(self) -> None:
        """Let others open the draft; harmless when done before."""
        if self._lock:
            self._lock.release()
        self._lock = None


def take_over(draft: Draft) -> Hold:
    """End the wizard that has the draft open, which loses nothing, and hold it here. Raises
    HeldError when the other one does not go."""
    lock = draft.path.with_suffix(".lock")
    pid = holder(lock)
    if pid and pid > 0 and pid != os.getpid():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGHUP)
    deadline = time.monotonic() + _PATIENCE
    while holder(lock) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return Hold(draft)


def sweep(folder: Path) -> None:
    """Remove lock files of drafts that are gone."""
    for lock in folder.glob("*.lock"):
        with contextlib.suppress(OSError, WizardError):
            if not lock.with_suffix(".json").exists() and holder(lock) is None:
                lock.unlink()


def copy_of(draft: Draft) -> Draft:
    """The draft as it is kept, once more under a name of its own. Raises WizardError."""
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    path = draft.path.with_name(f"{stamp}.json")
    try:
        shutil.copyfile(draft.path, path)
    except OSError as error:
        raise WizardError(
            "The draft cannot be copied", f"{draft.path}: {error.strerror or error}", ""
        ) from error
    return Draft.load(path)
