"""A zip of pictures becomes a folder beside it, whole or not at all.

A zip is somebody else's word on names, sizes and kinds, and none is believed: only pictures and
captions come out, inside the new folder, not more bytes than announced, and not more than the disk
has room for.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import lzma
import os
import secrets
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..files import TEMPORARY_MARK
from ..places import size_text
from .archive_content import ArchiveError, Content, clean_name, read_content
from .archive_words import other_archive, unpack_command
from .folders import open_regular

Progress = Callable[[int, int], None]
"""Called with (files written, files in all), also within large files. What it raises ends the
extraction, and nothing of it stays."""

_SPARE = 64 << 20
"""Bytes that are left free on the disk."""
_BLOCK = 1 << 20
_TEMPORARY = f"{TEMPORARY_MARK}unzip-"
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError)
"""What reading a damaged zip raises."""


def look_into(path: Path) -> Content:
    """What is in a zip; nothing is written. Raises ArchiveError when it cannot be unpacked."""
    with _opened(path) as archive:
        content = read_content(path, archive.infolist())
    _check_room(path, content)
    return content


def extract(path: Path, progress: Progress | None = None) -> Path:
    """Unpack pictures and captions into a new folder beside the zip, named like it; returns the
    folder. A folder around everything in the zip is left away.

    Raises ArchiveError when the zip is no whole zip, encrypted, damaged, without pictures, or
    larger than the room on the disk. A killed process leaves no folder that looks like a dataset;
    what it does leave, the next extraction beside it removes.
    """
    with _opened(path) as archive:
        content = read_content(path, archive.infolist())
        _check_room(path, content)
        try:
            with _temporary_folder(path.parent) as folder:
                _write_all(path, archive, content, folder, progress)
                return _named(folder, path)
        except OSError as error:
            raise _disk_error(path, error) from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    words = other_archive(path)
    if words:
        raise ArchiveError(*words)
    try:
        with open_regular(path) as file:
            try:
                archive = zipfile.ZipFile(file)
            except NotImplementedError as error:
                raise _packed_otherwise(path, error) from error
            except (*_DAMAGE, OverflowError) as error:
                raise _not_whole(path, file) from error
            with archive:
                yield archive
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchiveError(f"{path.name} cannot be read", reason, "Check the path.") from error


def _not_whole(path: Path, file: IO[bytes]) -> ArchiveError:
    """The list of a zip's files is at its end: what begins like one and has none is not all."""
    file.seek(0)
    size = os.fstat(file.fileno()).st_size
    if size and not b"PK\x03\x04".startswith(file.read(4)):
        return ArchiveError(
            f"{path.name} is no zip file, whatever its name says",
            "",
            "Make a zip of the folder with the pictures, or upload the folder itself.",
        )
    return ArchiveError(
        f"{path.name} is still uploading or was cut off",
        f"Its end is not there; {size_text(size)} have come so far.",
        "Wait until the upload is done and look again, or upload it once more.",
    )


def _packed_otherwise(path: Path, error: Exception) -> ArchiveError:
    return ArchiveError(
        f"{path.name} is packed in a way that is not read here",
        str(error),
        f"Unpack it by hand: {unpack_command(path)}",
    )


def _check_room(path: Path, content: Content) -> None:
    free = shutil.disk_usage(path.parent).free - _SPARE
    if content.bytes > free:
        raise ArchiveError(
            f"There is no room to unpack {path.name}",
            f"It takes {size_text(content.bytes)}, and {size_text(max(0, free))} are free.",
            "Free some space, or move the zip to another disk.",
        )


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """A locked folder that is gone afterwards unless it was given a name."""
    _sweep(parent)
    folder = parent / f"{_TEMPORARY}{secrets.token_hex(6)}"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove what killed extractions left: folders that nobody holds the lock of."""
    for orphan in parent.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(orphan, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(orphan, ignore_errors=True)
            finally:
                os.close(descriptor)


def _write_all(
    path: Path,
    archive: zipfile.ZipFile,
    content: Content,
    folder: Path,
    progress: Progress | None,
) -> None:
    total = len(content.members)
    for done, member in enumerate(content.members):
        target = folder / member.target
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with archive.open(member.info) as source, target.open("xb") as file:
                written = 0
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > member.info.file_size:
                        raise zipfile.BadZipFile("longer than announced")
                    file.write(block)
                    if progress:
                        progress(done, total)
        except _DAMAGE as error:
            raise ArchiveError(
                f"{path.name} is damaged",
                f"{member.target} cannot be unpacked: {error}.",
                "Upload it once more.",
            ) from error
        except (NotImplementedError, RuntimeError) as error:
            raise _packed_otherwise(path, error) from error
    if progress:
        progress(total, total)


def _named(folder: Path, path: Path) -> Path:
    """Give the finished folder the zip's name, or that with a number where it is taken."""
    stem = clean_name(path.stem).strip(". ") or "pictures"
    number = 1
    while True:
        final = path.with_name(stem if number == 1 else f"{stem}-{number}")
        number += 1
        # A rename would replace an empty folder without a word.
        if not os.path.lexists(final):
            return folder.rename(final)


def _disk_error(path: Path, error: OSError) -> ArchiveError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "The disk is full: free some space, and unpack it again."
    else:
        remedy = f"Move the zip into a folder that can be written. Here is {path.parent}"
    return ArchiveError(f"{path.name} cannot be unpacked", error.strerror or str(error), remedy)
