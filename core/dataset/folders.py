"""Looking into a folder without being hurt by it: regular files inside the root, nothing else."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

_TO_ITSELF = "a link that leads back to itself"


class FileEntry(NamedTuple):
    """A regular file of a folder, as the directory told it. Paths are made, and the file is looked
    at, only when that is asked for: of ten thousand, both take longer than to list them."""

    folder: Path
    name: str
    told: os.DirEntry[str]

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def size(self) -> int:
        """In bytes. As `modified_ns`, it is that of the first time that either is asked for.
        Raises OSError."""
        return self.told.stat().st_size

    @property
    def modified_ns(self) -> int:
        return self.told.stat().st_mtime_ns


@dataclass(frozen=True)
class Skipped:
    """Something that is left alone, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FolderListing:
    """What lies directly in a folder, in the order of the names' code points."""

    folder: Path
    told: tuple[os.DirEntry[str], ...]
    """Of its regular files."""
    folders: tuple[Path, ...]
    skipped: tuple[Skipped, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of its regular files, as are `files`."""
        return tuple(entry.name for entry in self.told)

    @property
    def files(self) -> tuple[FileEntry, ...]:
        return tuple(FileEntry(self.folder, entry.name, entry) for entry in self.told)

    def of_kinds(self, extensions: Collection[str]) -> list[FileEntry]:
        """The files with one of these `extension`s, by their names."""
        found = [entry for kind in extensions for entry in self._by_extension.get(kind, ())]
        found.sort(key=attrgetter("name"))
        return [FileEntry(self.folder, entry.name, entry) for entry in found]

    @cached_property
    def _by_extension(self) -> Mapping[str, Sequence[os.DirEntry[str]]]:
        found: dict[str, list[os.DirEntry[str]]] = {}
        for entry in self.told:
            found.setdefault(extension(entry.name), []).append(entry)
        return found


def list_folder(folder: Path, root: Path | None = None) -> FolderListing:
    """What lies directly in ``folder``; nothing is opened.

    FIFOs, devices, sockets, broken links, loops and links that lead out of ``root`` (``folder``
    itself if absent) are named in ``skipped``. Hidden entries are passed over: file managers keep
    thumbnails and copies of pictures' names there. Raises OSError when the folder cannot be read.
    """
    real_root = Path(os.path.realpath(root or folder))
    files: list[os.DirEntry[str]] = []
    folders: list[Path] = []
    skipped: list[Skipped] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                # The directory itself tells this of most: nothing is asked of the file.
                if entry.is_file(follow_symlinks=False):
                    files.append(entry)
                    continue
                mode, reason = _look_at(entry, real_root)
            except (OSError, RuntimeError) as error:
                skipped.append(Skipped(folder / entry.name, _link_reason(error)))
                continue
            if reason:
                skipped.append(Skipped(folder / entry.name, reason))
            elif stat.S_ISDIR(mode):
                folders.append(folder / entry.name)
            else:
                files.append(entry)
    return FolderListing(
        folder,
        tuple(sorted(files, key=attrgetter("name"))),
        tuple(sorted(folders, key=lambda path: path.name)),
        tuple(sorted(skipped, key=lambda item: item.path.name)),
    )


def extension(name: str) -> str:
    """Of a file's name, with its dot and in lower case; "" without one."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; OSError when it is not a regular one.

    The kind is asked of the open descriptor, without waiting for a writer: a FIFO that took the
    file's place since it was listed does not hang the program.
    """
    descriptor, _ = _opened(path)
    try:
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        yield file


def read_regular(path: str | Path, limit: int) -> tuple[bytes, int]:
    """The first ``limit`` bytes of a file and its size in bytes; OSError as `open_regular`.

    For thousands of small files: a file object costs more than to read them.
    """
    descriptor, size = _opened(path)
    try:
        wanted = min(size, limit)
        data = os.read(descriptor, wanted)
        while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
            data += more
        return data, size
    finally:
        os.close(descriptor)


def _opened(path: str | Path) -> tuple[int, int]:
    """A descriptor, to be closed, and the file's size."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is not a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found.st_size


def _look_at(entry: os.DirEntry[str], real_root: Path) -> tuple[int, str]:
    """The mode of what an entry leads to, and why it is not used, or ""."""
    found = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        target = Path(os.path.realpath(entry.path, strict=True))
        if not target.is_relative_to(real_root):
            return found.st_mode, "a link that leads out of the folder"
        if Path(os.path.realpath(Path(entry.path).parent)).is_relative_to(target):
            return found.st_mode, _TO_ITSELF
        found = target.stat()
    is_used = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return found.st_mode, "" if is_used else _kind(found.st_mode)


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
