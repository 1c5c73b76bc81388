"""What there is to copy: the pictures of a folder and of the folders in it, with what belongs to
them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..dataset.folders import FileEntry, extension, list_folder
from ..dataset.images import BadPicture, Picture, is_picture_name, scan_pictures
from ..dataset.masks import mask_names, masked_name
from ..errors import WizardError
from .caption_tables import SUFFIXES
from .crops import NAME as CROPS
from .table import NAME as TABLE

TEXTS = (".txt", ".caption")
_DEPTH = 2
"""Folders inside the source: ``N_name`` folders, and a set of sets."""


@dataclass(frozen=True)
class SourcePicture:
    """A picture to copy. Names are relative to the source folder."""

    name: str
    picture: Picture
    mask: Picture | None
    texts: tuple[FileEntry, ...]


@dataclass(frozen=True)
class Source:
    """A folder of pictures."""

    folder: Path
    pictures: tuple[SourcePicture, ...]
    bad: tuple[BadPicture, ...]
    tables: tuple[Path, ...] = ()
    """What may be files of many captions."""


def read_source(folder: Path, only: Collection[Path] | None = None) -> Source:
    """What lies in ``folder``, to the second level; of its pictures ``only`` those, if given.
    Raises WizardError where nothing does."""
    pictures: list[SourcePicture] = []
    bad: list[BadPicture] = []
    tables: list[Path] = []
    # The folder itself may have a file of many captions.
    places = None if only is None else sorted({folder, *(path.parent for path in only)})
    for files in _folders(folder, places):
        named = [file for file in files if is_picture_name(file.name)]
        good, broken = scan_pictures(files[0].folder, named) if named else ([], [])
        bad += broken
        tables += [file.path for file in files if _may_be_table(file.name)]
        pictures += _together(folder, files, good)
    if only is not None:
        pictures = [item for item in pictures if item.picture.path in only]
        bad = [item for item in bad if item.path in only]
    if not pictures and not bad:
        raise WizardError(
            "There are no pictures to copy", str(folder), "Name the folder that they are in."
        )
    return Source(folder, tuple(pictures), tuple(bad), tuple(tables))


def _may_be_table(name: str) -> bool:
    """Not what an earlier resizing has left, which the new folder has of its own."""
    return extension(name) in SUFFIXES and name not in (TABLE, CROPS)


def _together(
    folder: Path, files: tuple[FileEntry, ...], good: list[Picture]
) -> Iterator[SourcePicture]:
    masks = mask_names(item.path.name for item in good)
    by_stem = {masked_name(item.path.name): item for item in good if item.path.name in masks}
    texts: dict[str, list[FileEntry]] = {}
    for file in files:
        stem, dot, suffix = file.name.rpartition(".")
        if dot + suffix.lower() in TEXTS:
            texts.setdefault(stem, []).append(file)
    for item in good:
        if item.path.name not in masks:
            stem = item.path.name.rpartition(".")[0]
            name = item.path.relative_to(folder).as_posix()
            yield SourcePicture(name, item, by_stem.get(stem), tuple(texts.get(stem, ())))


def _folders(folder: Path, only: Sequence[Path] | None) -> Iterator[tuple[FileEntry, ...]]:
    """The files of each folder that has any; ``only`` those, if given."""
    todo = [(folder, 0)] if only is None else [(inner, _DEPTH) for inner in only]
    while todo:
        here, depth = todo.pop(0)
        try:
            listing = list_folder(here, folder)
        except OSError as error:
            raise WizardError(
                "The folder cannot be read",
                f"{here}: {error.strerror or error}",
                "Look at the path and its permissions.",
            ) from error
        if listing.files:
            yield listing.files
        if depth < _DEPTH:
            todo += [(inner, depth + 1) for inner in listing.folders if not inner.is_symlink()]
