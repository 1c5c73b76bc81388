"""Looking into a folder without being hurt by it: regular files inside the root, nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_TO_ITSELF = "a link that leads back to itself"


@dataclass(frozen=True)
class FileEntry:
    """A regular file of a folder, as the directory told it. ``size`` in bytes."""

    folder: Path
    name: str
    size: int
    modified_ns: int

    @property
    def path(self) -> Path:
        return self.folder / self.name


@dataclass(frozen=True)
class Skipped:
    """Something that is left alone, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FolderListing:
    """What lies directly in a folder, in the order of the names' code points."""

    folder: Path
    files: tuple[FileEntry, ...]
    folders: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def list_folder(folder: Path, root: Path | None = None) -> FolderListing:
    """What lies directly in ``folder``; nothing is opened.

    FIFOs, devices, sockets, broken links, loops and links that lead out of ``root`` (``folder``
    itself if absent) are named in ``skipped``. Hidden entries are passed over: file managers keep
    thumbnails and copies of pictures' names there. Raises OSError when the folder cannot be read.
    """
    real_root = Path(os.path.realpath(root or folder))
    files: list[FileEntry] = []
    folders: list[Path] = []
    skipped: list[Skipped] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                found, reason = _look_at(entry, real_root)
            except (OSError, RuntimeError) as error:
                skipped.append(Skipped(folder / entry.name, _link_reason(error)))
                continue
            if found is None:
                skipped.append(Skipped(folder / entry.name, reason))
            elif stat.S_ISDIR(found.st_mode):
                folders.append(folder / entry.name)
            else:
                files.append(FileEntry(folder, entry.name, found.st_size, found.st_mtime_ns))
    return FolderListing(
        folder,
        tuple(sorted(files, key=lambda file: file.name)),
        tuple(sorted(folders, key=lambda path: path.name)),
        tuple(sorted(skipped, key=lambda item: item.path.name)),
    )


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; OSError when it is not a regular one.

    The kind is asked of the open descriptor, without waiting for a writer: a FIFO that took the
    file's place since it was listed does not hang the program.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        yield file


def _look_at(entry: os.DirEntry[str], real_root: Path) -> tuple[os.stat_result | None, str]:
    """The stat of a file or folder to use, or None and the reason why not."""
    found = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        target = Path(os.path.realpath(entry.path, strict=True))
        if not target.is_relative_to(real_root):
            return None, "a link that leads out of the folder"
        if Path(os.path.realpath(Path(entry.path).parent)).is_relative_to(target):
            return None, _TO_ITSELF
        found = target.stat()
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        return found, ""
    return None, _kind(found.st_mode)


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a named pipe, not a file"
    if stat.S_ISSOCK(mode):
        return "a socket, not a file"
    return "a device, not a file"


def _link_reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "a link that leads nowhere"
    if isinstance(error, OSError) and error.errno != errno.ELOOP:
        return f"closed to us: {error.strerror or error}"
    return _TO_ITSELF
