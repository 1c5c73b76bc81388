"""The slips in the layout of folders that cost people most time, each answered with what was found
and with what mends it."""

from __future__ import annotations

from pathlib import Path

from ..errors import Mend
from .folders import FolderListing
from .layout_words import (
    DRAWS,
    concepts_mend,
    concepts_toml,
    content,
    folder_mends,
    levels,
    names,
    parse_name,
    try_list,
)
from .picture_folders import PictureFolders


def warn_nested(folders: PictureFolders, listing: FolderListing, where: str) -> None:
    """Beside the pictures of a folder: folders with more of them, also within each other."""
    used = {Path(item.folder) for item in folders.options.concepts}
    used |= {Path(folders.options.regularization_folder or "/")}
    inner = _below(folders, listing, used)
    if inner:
        folders.warn(
            f"{listing.folder} also holds folders with pictures, which are not used: "
            f"{names(inner)}.",
            where,
            "To train them too, list every folder:\n" + concepts_toml([listing.folder, *inner]),
            listed(folders, [listing.folder, *inner], where),
        )


def _below(
    folders: PictureFolders, listing: FolderListing, used: set[Path], depth: int = 3
) -> list[Path]:
    found: list[Path] = []
    for folder in listing.folders if depth else ():
        inner = try_list(folder, listing.folder) if folder not in used else None
        if inner and folders.pictures(inner):
            found.append(folder)
        if inner:
            found += _below(folders, inner, used, depth - 1)
    return found


def warn_unnumbered(folders: PictureFolders, listing: FolderListing, where: str) -> None:
    """Beside ``N_name`` folders: others with pictures."""
    others = [
        folder for folder in folders.with_pictures(listing) if parse_name(folder.name) is None
    ]
    if others:
        numbered = [folder for folder in listing.folders if parse_name(folder.name)]
        folders.warn(
            f"Not used, since their names do not begin with repeats and an underscore: "
            f"{names(others)}.",
            where,
            "To train them too, list every folder:\n" + concepts_toml([*numbered, *others]),
            listed(folders, [*numbered, *others], where),
        )


def explain_empty(
    folders: PictureFolders, listing: FolderListing, where: str, is_regularization: bool
) -> None:
    """No picture where one was expected: say what is there, and the way that would work."""
    folder = listing.folder
    if folders.has_excluded(listing):
        remedy = "Take some of them in again: what is left out stands in dataset.exclude."
        folders.error(f"All pictures of {folder} are left out.", where, remedy)
        return
    inner = folders.with_pictures(listing)
    if inner:
        remedy = "List the folders instead of dataset.folder:\n" + concepts_toml(inner)
        several = listed(folders, inner, where) if inner[1:] else ()
        mends = (*several, *folder_mends(inner[:2], where))
        if is_regularization:
            remedy = f"Give one of them, such as {inner[0]}."
            mends = folder_mends(inner[:3], where)
        message = f"{folder} has no pictures itself; these folders in it have: {names(inner)}."
        folders.error(message, where, remedy, mends)
        return
    deeper = {
        child: folders.with_pictures(inner_listing)
        for child in listing.folders
        if (inner_listing := try_list(child, folder))
    }
    below = [child for child, grandchildren in deeper.items() if grandchildren]
    if below:
        folders.error(f"{folder} is one level too high.", where, *levels(below, where))
        return
    folders.error(
        f"{folder} has no pictures in it: {content(listing)}.",
        where,
        "Pictures are .jpg, .jpeg, .png, .webp, .bmp or .avif."
        + (f' Or set it to "" to train without. {DRAWS}' if is_regularization else ""),
    )


def listed(folders: PictureFolders, paths: list[Path], where: str) -> tuple[Mend, ...]:
    """The mend that lists ``paths`` as concepts, where that is possible."""
    if where != "dataset.folder" or folders.options.concepts:
        return ()
    return concepts_mend(paths, folders.options.repeats)
