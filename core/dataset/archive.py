"""A zip of pictures becomes a folder beside it, whole or not at all.

A zip is somebody else's word on names, sizes and kinds, and none is believed: only pictures and
captions come out, inside the new folder, not more bytes than announced, and not more than the disk
has room for.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import WizardError
from ..files import TEMPORARY_MARK
from ..places import size_text
from .archive_words import other_archive, unpack_command
from .captions import EXTENSIONS as CAPTION_EXTENSIONS
from .folders import open_regular
from .images import is_picture_name
from .layout_words import counted, parse_name

Progress = Callable[[int, int], None]
"""Called with (files written, files in all), also within large files. What it raises ends the
extraction, and nothing of it stays."""

LARGEST_PICTURE = 512 << 20
LARGEST_CAPTION = 1 << 20
"""Bytes. More than any picture within the limit of pixels takes; more than anybody writes."""
MOST_FILES = 200_000
_SPARE = 64 << 20
"""Bytes that are left free on the disk."""
_LONGEST_NAME, _LONGEST_PATH = 255, 1000
"""Bytes; the folder's own path comes before it."""
_BLOCK = 1 << 20
_TEMPORARY = f"{TEMPORARY_MARK}unzip-"


class ArchiveError(WizardError):
    """The zip cannot be used as it is."""


@dataclass(frozen=True)
class Member:
    """A file that comes out, and where, relative to the new folder."""

    info: zipfile.ZipInfo
    target: PurePosixPath

    @property
    def is_picture(self) -> bool:
        return is_picture_name(self.target.name)


@dataclass(frozen=True)
class Content:
    """What a zip would give."""

    members: tuple[Member, ...]
    left_out: tuple[tuple[str, str], ...]
    """(name in the zip, reason) of what looks like a picture or caption and cannot be taken."""
    passed_over: int
    """How many files are something else."""

    @property
    def pictures(self) -> int:
        return sum(member.is_picture for member in self.members)

    @property
    def captions(self) -> int:
        return len(self.members) - self.pictures

    @property
    def bytes(self) -> int:
        """Unpacked, as announced."""
        return sum(member.info.file_size for member in self.members)


def look_into(path: Path) -> Content:
    """What is in a zip; nothing is written. Raises ArchiveError when it cannot be unpacked."""
    with _opened(path) as archive:
        content = _content(path, archive.infolist())
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
        content = _content(path, archive.infolist())
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
            except (zipfile.BadZipFile, ValueError, OverflowError) as error:
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


def _content(path: Path, infos: list[zipfile.ZipInfo]) -> Content:
    wanted: list[Member] = []
    left_out: list[tuple[str, str]] = []
    passed_over = 0
    for info in infos:
        name = _name(info)
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if info.is_dir() or not parts:
            continue
        is_hidden = any(part.startswith(".") and part != ".." for part in parts)
        if is_hidden or parts[0] == "__MACOSX" or not _is_wanted(parts[-1]):
            passed_over += 1
            continue
        reason = _why_not(info, name, parts)
        if reason:
            left_out.append((name, reason))
        else:
            wanted.append(Member(info, PurePosixPath(*map(_clean, parts))))
    if not any(member.is_picture for member in wanted):
        raise _no_pictures(path, left_out)
    if len(wanted) > MOST_FILES:
        raise ArchiveError(f"{path.name} holds {len(wanted)} files", "", "Choose fewer of them.")
    if any(member.info.flag_bits & 1 for member in wanted):
        raise ArchiveError(
            f"{path.name} needs a password",
            "",
            f"Unpack it here, where it asks for the password: {unpack_command(path)}",
        )
    members, twice = _once(_without_top(wanted))
    return Content(tuple(members), (*left_out, *twice), passed_over)


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant. Without the UTF-8 flag the format says cp437, and macOS and many
    programs write UTF-8 all the same."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_wanted(name: str) -> bool:
    return is_picture_name(name) or name.lower().endswith(CAPTION_EXTENSIONS)


def _why_not(info: zipfile.ZipInfo, name: str, parts: tuple[str, ...]) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if name.startswith("/") or (len(name) > 1 and name[1] == ":") or ".." in parts:
        return "would land outside of the folder"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device, not a file"
    limit = LARGEST_PICTURE if is_picture_name(name) else LARGEST_CAPTION
    if info.file_size > limit:
        return f"is larger than {size_text(limit)}"
    long = max(len(os.fsencode(part)) for part in parts)
    if long > _LONGEST_NAME or len(os.fsencode(name)) > _LONGEST_PATH:
        return "has too long a name"
    return ""


def _clean(part: str) -> str:
    """Without control characters and what no file system or terminal should get."""
    return "".join(char if char.isprintable() else "_" for char in part)


def _without_top(members: list[Member]) -> list[Member]:
    """Without the folders around everything; one named ``N_name`` says repeats and stays."""
    while True:
        tops = {member.target.parts[0] for member in members}
        is_around = len(tops) == 1 and all(len(member.target.parts) > 1 for member in members)
        if not is_around or parse_name(next(iter(tops))):
            return members
        members = [
            Member(member.info, PurePosixPath(*member.target.parts[1:])) for member in members
        ]


def _once(members: list[Member]) -> tuple[list[Member], list[tuple[str, str]]]:
    """Each target once, and never a file where another needs a folder."""
    folders = {folder for member in members for folder in member.target.parents}
    kept: dict[PurePosixPath, Member] = {}
    twice: list[tuple[str, str]] = []
    for member in members:
        if member.target in kept or member.target in folders:
            twice.append((str(member.target), "is there twice"))
        else:
            kept[member.target] = member
    return list(kept.values()), twice


def _no_pictures(path: Path, left_out: list[tuple[str, str]]) -> ArchiveError:
    why = f"{left_out[0][0]} {left_out[0][1]}." if left_out else ""
    return ArchiveError(
        f"{path.name} has no pictures in it",
        why,
        "Pictures are .jpg, .jpeg, .png, .webp, .bmp or .avif.",
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
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise ArchiveError(
                f"{path.name} is damaged",
                f"{member.target} cannot be unpacked: {error}.",
                "Upload it once more.",
            ) from error
        except (NotImplementedError, RuntimeError) as error:
            raise ArchiveError(
                f"{path.name} is packed in a way that is not read here",
                str(error),
                f"Unpack it by hand: {unpack_command(path)}",
            ) from error
    if progress:
        progress(total, total)


def _named(folder: Path, path: Path) -> Path:
    """Give the finished folder the zip's name, or that with a number where it is taken."""
    stem = _clean(path.stem).strip(". ") or "pictures"
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


def found_text(content: Content) -> str:
    """What is in a zip, in a line."""
    text = f"{counted(content.pictures, 'picture')}, {counted(content.captions, 'caption')}"
    more = f"; {len(content.left_out)} cannot be taken" if content.left_out else ""
    return f"{text}, {size_text(content.bytes)} unpacked{more}"
