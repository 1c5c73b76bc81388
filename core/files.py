"""The write protocol: the one way in which a lasting file comes into being.

Temporary file in the same folder, write, fsync, read back and compare, permissions, rename, fsync
of the folder. A crash at any point leaves either the old file or the new one, whole; never a torn
one under the final name. Temporaries of a crash are swept by `sweep`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import EXIT_FAILED, WizardError

TEMPORARY_MARK = ".lora-wizard-tmp-"
_BLOCK = 1 << 20


class WriteError(WizardError):
    """A file could not be written whole; whatever stood there before still stands."""

    exit_code = EXIT_FAILED

    def __init__(
        self, title: str, message: str = "", remedy: str = "", *, may_pass: bool = False
    ) -> None:
        super().__init__(title, message, remedy)
        self.may_pass = may_pass
        """Whether the same may work later: what a full disk or a network that is away refuses."""


class ExistsError(WriteError):
    """Another file has the name already."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def write_bytes(path: Path, data: bytes, *, durable: bool = True, replacing: bool = True) -> str:
    """Write ``data`` to ``path`` by the protocol; returns its SHA-256.

    ``durable=False`` leaves out fsync and reading back, for what can be made again (caches): still
    never torn by a killed process, but perhaps lost with the power. With ``replacing=False``, of
    several who write at the same moment one gets the name, and the others ExistsError.

    Raises WriteError when the disk is full, the folder is not writable, or what is read back
    differs from what was written.
    """
    temporary = path.with_name(f"{TEMPORARY_MARK}{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = write_temporary(temporary, path, data, durable=durable)
        if replacing:
            temporary.replace(path)
        else:
            _name_new(temporary, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise write_failed(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return digest


def write_temporary(temporary: Path, path: Path, data: bytes, *, durable: bool = True) -> str:
    """The part of `write_bytes` before the file takes its name: ``data`` in the new file
    ``temporary``, with the permissions that ``path`` has. Raises OSError, and WriteError."""
    # The mode of a new file comes from the umask, as for any file of the user's; mkstemp would
    # make it 0600. A file that is replaced keeps the mode that the user gave it.
    mode = _mode_of(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if durable:
            os.fsync(descriptor)
            # Reading back is worth little from memory: let the disk answer.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    digest = hashlib.sha256(data).hexdigest()
    if durable and sha256_of(temporary) != digest:
        raise WriteError(
            "A file was read back different from what was written",
            f"{path}",
            "The disk or file system is faulty; write to another one.",
        )
    return digest


def write_failed(path: Path, error: OSError) -> WriteError:
    """That ``path`` could not be written, in words."""
    return WriteError(
        f"Cannot write {path.name}",
        f"{path}: {error.strerror or error}",
        _remedy(error),
        may_pass=True,
    )


def write_text(path: Path, text: str, *, durable: bool = True) -> str:
    """As `write_bytes`, in UTF-8."""
    return write_bytes(path, text.encode("utf-8"), durable=durable)


def write_json(path: Path, value: Any, *, durable: bool = True) -> str:
    """As `write_text`, indented, keys in their order."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        # A file name that is not UTF-8 has no UTF-8; JSON's escapes keep it.
        text = json.dumps(value, indent=2)
    return write_text(path, text + "\n", durable=durable)


def sync_folder(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporaries(folder: Path) -> Iterator[Path]:
    """What a crashed writer left in ``folder`` and below."""
    yield from folder.rglob(f"{TEMPORARY_MARK}*")


def sweep(folder: Path) -> int:
    """Remove orphaned temporaries below ``folder``; returns how many. Only for a folder whose lock
    is held, since a live writer's temporary looks the same."""
    swept = 0
    for orphan in list(temporaries(folder)):
        with contextlib.suppress(OSError):
            orphan.unlink()
            swept += 1
    return swept


def _mode_of(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        return stat.S_IMODE(path.stat().st_mode)
    return None


def _name_new(temporary: Path, path: Path) -> None:
    """A rename that replaces nothing."""
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:
            # FAT and some network file systems have no links: there an empty file takes the name.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
            temporary.replace(path)
    except FileExistsError:
        raise ExistsError(
            f"{path.name} is there already", str(path), "Choose another name."
        ) from None


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: free some space."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "The folder cannot be written: choose another one or change its permissions."
    return "Choose another folder, or look at the disk."
