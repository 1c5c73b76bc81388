"""The words for what was found in folders: names read, counted, and answered with TOML."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import Mend
from .folders import FolderListing, extension, list_folder

_REPEATS_NAME = re.compile(r"(\d+)_(.*)", re.DOTALL)
_SLIPS = (
    re.compile(r"(?P<repeats>\d+)[ -]*(?P<name>\D.*)", re.DOTALL),
    re.compile(r"(?P<name>.*\D)[_ -](?P<repeats>\d+)", re.DOTALL),
)
"""``10 mika``, ``10-mika``, ``10mika``; ``mika_10``."""
_MOST_MEANT = 99
"""By such a name; ``100CANON`` is a camera's."""
MOST_REPEATS = 10_000
CLASS_PICTURES = "dataset.regularization_folder"
DRAWS = "F4 in the step Dataset draws class pictures, and so does `lora-wizard regularize`."
_UNREAD = frozenset(
    {".heic", ".heif", ".tif", ".tiff", ".gif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"}
)


def parse_name(name: str) -> tuple[int, str] | None:
    """(repeats, concept) of a folder named ``N_name``; None for any other."""
    match = _REPEATS_NAME.fullmatch(name)
    if match is None or not match[1].isascii() or len(match[1]) > 9 or not match[2].strip():
        return None
    return int(match[1]), match[2].strip()


def concepts_toml(folders: Iterable[Path]) -> str:
    """The TOML that trains ``folders`` as they are, with the repeats their names seem to mean."""
    tables: list[str] = []
    for folder, repeats in _with_repeats(folders):
        lines = ["[[dataset.concepts]]", f"folder = {json.dumps(str(folder), ensure_ascii=False)}"]
        if repeats:
            lines.append(f"repeats = {repeats}")
        tables.append("\n".join(lines))
    return "\n".join(tables)


def concepts_mend(folders: Iterable[Path], repeats: int) -> tuple[Mend, ...]:
    """As `concepts_toml`, to be done for the person; ``repeats`` for names that mean none."""
    tables: list[dict[str, Any]] = []
    for folder, own in _with_repeats(folders):
        tables.append({"folder": str(folder), "repeats": own or repeats})
    label = f"Use {'this folder' if len(tables) == 1 else f'these {len(tables)} folders'}"
    return (Mend(label, {"dataset.folder": "", "dataset.concepts": tables}),)


def folder_mends(folders: Iterable[Path], where: str) -> tuple[Mend, ...]:
    """To give one of ``folders`` as ``where`` instead."""
    if "[" in where:
        return ()
    return tuple(Mend(f"Use {folder}", {where: str(folder)}) for folder in folders)


def _with_repeats(folders: Iterable[Path]) -> list[tuple[Path, int | None]]:
    """Each with the repeats that its name seems to mean. Numbers that tell ``day 1`` from ``day 2``
    mean none."""
    found = [(folder, parse_name(folder.name), _slip(folder.name)) for folder in folders]
    names = Counter(slip[1] for _, parsed, slip in found if slip and not parsed)
    told: list[tuple[Path, int | None]] = []
    for folder, parsed, slip in found:
        repeats = None
        if parsed:
            repeats = parsed[0] if 1 <= parsed[0] <= MOST_REPEATS else None
        elif slip and names[slip[1]] == 1:
            repeats = slip[0]
        told.append((folder, repeats))
    return told


def _slip(name: str) -> tuple[int, str] | None:
    for slip in _SLIPS:
        match = slip.fullmatch(name)
        if match and match["repeats"].isascii() and 1 <= int(match["repeats"][:9]) <= _MOST_MEANT:
            return int(match["repeats"]), match["name"]
    return None


def try_list(folder: Path, root: Path) -> FolderListing | None:
    try:
        return list_folder(folder, root)
    except OSError:
        return None


def levels(below: list[Path], where: str) -> tuple[str, tuple[Mend, ...]]:
    """Which folder to give instead, in words and as what would do it. sd-scripts' project folders
    are told by their names."""
    by_name = {folder.name.lower(): folder for folder in below}
    for classes in ("reg", "regularization", "regularisation", "class"):
        images = [folder for folder in below if folder != by_name.get(classes)]
        if classes in by_name and images and where == "dataset.folder":
            pair = {where: str(images[0]), "dataset.regularization_folder": str(by_name[classes])}
            words = " and ".join(f'{key} = "{folder}"' for key, folder in pair.items())
            label = f"Use {images[0].name}, and {by_name[classes].name} as class pictures"
            return f"Set {words}.", (Mend(label, pair),)
    words = " or ".join(f'Set {where} = "{folder}"' for folder in below[:3])
    return f"{words}.", folder_mends(below[:3], where)


def has_sisters(folder: Path) -> bool:
    """Whether other ``N_name`` folders lie beside ``folder``."""
    around = try_list(folder.parent, folder.parent)
    return bool(around) and sum(parse_name(item.name) is not None for item in around.folders) > 1


def nearest(folder: Path, where: str) -> tuple[str, tuple[Mend, ...]]:
    """What may have been meant by a folder that is not there."""
    try:
        names = [path.name for path in list_folder(folder.parent).folders]
    except OSError:
        return f"{folder.parent} is not there either: check the path.", ()
    close = difflib.get_close_matches(folder.name, names, n=1)
    if not close:
        return "Check the path.", ()
    meant = folder.parent / close[0]
    return f"Did you mean {meant}?", folder_mends([meant], where)


def content(listing: FolderListing) -> str:
    endings = Counter(extension(name) or "no ending" for name in listing.names)
    if not endings and not listing.folders:
        return "it is empty"
    parts = [f"{count} x {ending}" for ending, count in endings.most_common(5)]
    if listing.folders:
        parts.append(f"folders {names(listing.folders)}")
    return ", ".join(parts)


def names(folders: Iterable[Path], limit: int = 5) -> str:
    names = [folder.name for folder in folders]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def unread_pictures(listing: FolderListing) -> list[str]:
    """The names of files that a person would call pictures, and that nothing here opens."""
    return [file.name for file in listing.of_kinds(_UNREAD)]


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
