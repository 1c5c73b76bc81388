"""What of a zip comes out, and under which names: nothing of what it says is believed."""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import WizardError
from ..places import size_text
from .archive_words import unpack_command
from .caption_tables import FOUND_BY_ITSELF, TABLE_LIMIT
from .captions import EXTENSIONS as CAPTION_EXTENSIONS
from .images import is_picture_name
from .layout_words import counted, parse_name

LARGEST_PICTURE = 512 << 20
LARGEST_CAPTION = 1 << 20
"""Bytes. More than any picture within the limit of pixels takes; more than anybody writes."""
MOST_FILES = 200_000
_LONGEST_NAME, _LONGEST_PATH = 255, 1000
"""Bytes; the folder's own path comes before it."""


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


def found_text(content: Content) -> str:
    """What is in a zip, in a line."""
    text = f"{counted(content.pictures, 'picture')}, {counted(content.captions, 'caption')}"
    more = f"; {len(content.left_out)} cannot be taken" if content.left_out else ""
    return f"{text}, {size_text(content.bytes)} unpacked{more}"


def read_content(path: Path, infos: list[zipfile.ZipInfo]) -> Content:
    """What of a zip's files comes out, under which names. Raises ArchiveError when that is no
    picture, or needs a password."""
    wanted: list[Member] = []
    left_out: list[tuple[str, str]] = []
    passed_over = 0
    for info in infos:
        name = _name(info)
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if not parts or info.is_dir():
            continue
        is_hidden = any(part.startswith(".") and part != ".." for part in parts)
        if is_hidden or parts[0] == "__MACOSX" or not _is_wanted(parts[-1]):
            passed_over += 1
            continue
        reason = _why_not(info, name, parts)
        if reason:
            left_out.append((name, reason))
        else:
            wanted.append(Member(info, PurePosixPath(*map(clean_name, parts))))
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
    is_caption = name.lower().endswith(CAPTION_EXTENSIONS) or _is_table(name)
    return is_picture_name(name) or is_caption


def _is_table(name: str) -> bool:
    return name.rpartition("/")[2] == FOUND_BY_ITSELF


def _why_not(info: zipfile.ZipInfo, name: str, parts: tuple[str, ...]) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if name.startswith("/") or (len(name) > 1 and name[1] == ":") or ".." in parts:
        return "would land outside of the folder"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device, not a file"
    limit = LARGEST_PICTURE if is_picture_name(name) else LARGEST_CAPTION
    limit = TABLE_LIMIT if _is_table(name) else limit
    if info.file_size > limit:
        return f"is larger than {size_text(limit)}"
    long = max(len(os.fsencode(part)) for part in parts)
    if long > _LONGEST_NAME or len(os.fsencode(name)) > _LONGEST_PATH:
        return "has too long a name"
    return ""


def clean_name(part: str) -> str:
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
