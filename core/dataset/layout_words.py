"""The words for what was found in folders: names read, counted, and answered with TOML."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from .folders import FolderListing, list_folder

_REPEATS_NAME = re.compile(r"(\d+)_(.*)", re.DOTALL)
_SLIPS = (
    re.compile(r"(?P<repeats>\d+)[ -]*(?P<name>\D.*)", re.DOTALL),
    re.compile(r"(?P<name>.*\D)[_ -](?P<repeats>\d+)", re.DOTALL),
)
"""``10 mika``, ``10-mika``, ``10mika``; ``mika_10``."""
MOST_REPEATS = 10_000


def parse_name(name: str) -> tuple[int, str] | None:
    """(repeats, concept) of a folder named ``N_name``; None for any other."""
    match = _REPEATS_NAME.fullmatch(name)
    if match is None or not match[1].isascii() or len(match[1]) > 9 or not match[2].strip():
        return None
    return int(match[1]), match[2].strip()


def concepts_toml(folders: Iterable[Path]) -> str:
    """The TOML that trains ``folders`` as they are, with the repeats their names seem to mean."""
    tables: list[str] = []
    for folder in folders:
        lines = ["[[dataset.concepts]]", f"folder = {json.dumps(str(folder), ensure_ascii=False)}"]
        repeats = _guessed_repeats(folder.name)
        if repeats:
            lines.append(f"repeats = {repeats}")
        tables.append("\n".join(lines))
    return "\n".join(tables)


def _guessed_repeats(name: str) -> int | None:
    parsed = parse_name(name)
    if parsed:
        return parsed[0] if 1 <= parsed[0] <= MOST_REPEATS else None
    for slip in _SLIPS:
        match = slip.fullmatch(name)
        if match and match["repeats"].isascii() and len(match["repeats"]) <= 3:
            return int(match["repeats"]) or None
    return None


def try_list(folder: Path, root: Path) -> FolderListing | None:
    try:
        return list_folder(folder, root)
    except OSError:
        return None


def levels(below: list[Path], where: str) -> str:
    """Which folder to give instead. sd-scripts' project folders are told by their names."""
    by_name = {folder.name.lower(): folder for folder in below}
    for classes in ("reg", "regularization", "regularisation", "class"):
        images = [folder for folder in below if folder != by_name.get(classes)]
        if classes in by_name and images and where == "dataset.folder":
            return (
                f'Set dataset.folder = "{images[0]}" and '
                f'dataset.regularization_folder = "{by_name[classes]}".'
            )
    return " or ".join(f'Set {where} = "{folder}"' for folder in below[:3]) + "."


def nearest(folder: Path) -> str:
    try:
        names = [path.name for path in list_folder(folder.parent).folders]
    except OSError:
        return f"{folder.parent} is not there either: check the path."
    close = difflib.get_close_matches(folder.name, names, n=1)
    return f"Did you mean {folder.parent / close[0]}?" if close else "Check the path."


def content(listing: FolderListing) -> str:
    endings = Counter(Path(file.name).suffix.lower() or "no ending" for file in listing.files)
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


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
