"""The words for files that are given where a folder is needed: zips and other archives."""

from __future__ import annotations

import shlex
from pathlib import Path

_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_OTHER = {".7z": "7z x {path} -o{folder}", ".rar": "unrar x {path} {folder}/"}


def is_zip(path: Path) -> bool:
    """Whether it is called a zip."""
    return path.name.lower().endswith(".zip")


def is_archive(path: Path) -> bool:
    """Whether it is called a zip, a tar or the like."""
    return is_zip(path) or bool(_ending(path))


def unpack_command(path: Path) -> str:
    """What unpacks an archive by hand, into a folder beside it."""
    ending = _ending(path) or path.suffix
    where = str(path)
    folder = shlex.quote(where[: len(where) - len(ending)] or where + "-unpacked")
    quoted = shlex.quote(where)
    if ending in _TAR:
        return f"mkdir {folder} && tar -xf {quoted} -C {folder}"
    if ending in _OTHER:
        return _OTHER[ending].format(path=quoted, folder=folder)
    return f"unzip {quoted} -d {folder}"


def other_archive(path: Path) -> tuple[str, str, str] | None:
    """Title, message and remedy for an archive that is no zip."""
    if not _ending(path):
        return None
    remedy = f"Unpack it, then give the new folder:\n{unpack_command(path)}"
    return f"{path.name} is packed, and only zips are unpacked here", "", remedy


def not_a_folder(path: Path) -> tuple[str, str]:
    """Message and remedy for a file where a folder of pictures is expected."""
    if not is_archive(path):
        return f"{path} is a file.", f"Give the folder that it is in: {path.parent}"
    kind = "a zip" if is_zip(path) else "packed"
    wizard = ", or let `lora-wizard` do it" if is_zip(path) else ""
    return (
        f"{path} is {kind}, not a folder.",
        f"Unpack it{wizard}, then give the new folder:\n{unpack_command(path)}",
    )


def _ending(path: Path) -> str:
    name = path.name.lower()
    return next((ending for ending in (*_TAR, *_OTHER) if name.endswith(ending)), "")
