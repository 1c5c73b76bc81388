"""Whether a run is alive: a lock that the kernel takes back when the process ends, however it ends.

A pid in a file says "alive" of zombies and of strangers that got the number later; a lock cannot.
`fcntl.lockf` belongs to the process, so that forked children (data loaders) do not keep it when the
job dies, which `flock` would. Its price: closing *any* descriptor of the file in the holding
process lets go of it. So the file is opened once, and nothing but this module opens it.

Byte 0 says that a job is there; byte 1, taken later, that it listens to its control folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import struct
import time
from pathlib import Path

from ..errors import WizardError

_LIVE, _READY = 0, 1
_FLOCK = "hhqqi0q"
"""Linux' struct flock: type, whence, start, length, pid, padded to 8 bytes."""

_held: dict[tuple[int, int], int] = {}
"""(device, inode) of lock files held here -> our pid: asking about these must not open them."""


class AlreadyRunningError(WizardError):
    """Another process trains in this run directory."""


class RunLock:
    """The lock of one run directory, held until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> RunLock:
        """Take the lock, or raise AlreadyRunningError at once. Of any number of processes that try
        at the same time, one gets it."""
        if _is_ours(path):
            raise already_running(path, os.getpid())
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _no_lock(path, error) from error
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LIVE)
        except OSError as error:
            os.close(descriptor)
            # POSIX lets a refused lock be either.
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise already_running(path, holder(path)) from None
            raise _no_lock(path, error) from error
        _held[_identity(os.fstat(descriptor))] = os.getpid()
        return cls(descriptor)

    def announce(self) -> None:
        """Say that requests in the control folder are now seen."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _READY)

    def release(self) -> None:
        """Let go; harmless when done before."""
        if self._descriptor < 0:
            return
        _held.pop(_identity(os.fstat(self._descriptor)), None)
        os.close(self._descriptor)
        self._descriptor = -1


def holder(path: Path) -> int | None:
    """The pid of the process that holds the lock; None when nobody does. 0 or less when it is not
    a process of this machine (or container)."""
    return _holder_of(path, _LIVE)


def is_live(path: Path) -> bool:
    """Whether a job holds the lock file ``path`` now. Takes nothing, so that asking never keeps a
    job from starting."""
    return _holder_of(path, _LIVE) is not None


def is_ready(path: Path) -> bool:
    """Whether the job that holds the lock has come as far as to look at its control folder."""
    return _holder_of(path, _READY) is not None


def wait_until_ready(path: Path, seconds: float) -> bool:
    """Wait for a live job to listen; False when it ended or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_ready(path):
            return True
        if not is_live(path):
            return False
        time.sleep(0.02)
    return False


def _holder_of(path: Path, byte: int) -> int | None:
    if _is_ours(path):
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _no_lock(path, error) from error
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return None if answer[0] == fcntl.F_UNLCK else answer[4]


def _is_ours(path: Path) -> bool:
    if not _held:
        return False
    try:
        return _held.get(_identity(path.stat())) == os.getpid()
    except OSError:
        return False


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _no_lock(path: Path, error: OSError) -> WizardError:
    return WizardError(
        "The run directory cannot be locked",
        f"{path}: {error.strerror or error}",
        "Look at the folder's permissions. Some network file systems have no locks: choose another "
        "output.folder then.",
    )


def already_running(path: Path, pid: int | None = None) -> AlreadyRunningError:
    """The error for whoever comes second to the lock at ``path``, held by ``pid``."""
    who = f" by process {pid}" if pid and pid > 0 else ""
    run = shlex.quote(str(path.parent))
    return AlreadyRunningError(
        "This run is already going on",
        f"{path.parent} is held{who}.",
        f"Watch it: lora-wizard attach {run}\nEnd it: lora-wizard stop {run}",
    )
