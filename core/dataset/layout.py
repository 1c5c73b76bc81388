"""From the folders of a configuration to concepts, whatever way they are laid out.

Read are a flat folder of pictures, sd-scripts' layout (a folder of ``N_name`` folders, N being the
repeats) and ``dataset.concepts``. The slips that cost people most time are recognised and answered
with what was found and the lines of TOML that mend it; the user's files are never moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import ConceptOptions, DatasetOptions
from ..errors import Problem
from .folders import FileEntry, FolderListing
from .layout_slips import explain_empty, listed, warn_nested, warn_unnumbered
from .layout_words import (
    MOST_REPEATS,
    concepts_toml,
    counted,
    folder_mends,
    has_sisters,
    parse_name,
)
from .picture_folders import PictureFolders

_PERHAPS_A_YEAR = 1000
"""A folder that is given by itself and is named ``2024_holiday`` hardly means 2024 repeats."""


@dataclass(frozen=True)
class ConceptFolder:
    """A folder of pictures that are trained as one concept."""

    folder: Path
    name: str
    repeats: int
    is_regularization: bool
    trigger_words: tuple[str, ...]
    pictures: tuple[FileEntry, ...]
    """Named like pictures, not excluded; not yet opened."""
    listing: FolderListing
    prompt: str = ""
    masks: tuple[FileEntry, ...] = ()
    """The masks beside them, likewise."""


class Layout:
    """The concepts that were found, and what there is to say about the folders."""

    def __init__(self, options: DatasetOptions, trigger_words: Iterable[str]) -> None:
        self.concepts: list[ConceptFolder] = []
        self._folders = PictureFolders(options)
        self._options = options
        self._trigger_words = tuple(trigger_words)
        for number, concept in enumerate(options.concepts):
            self._add_concept(concept, f"dataset.concepts[{number}].folder")
        if options.folder:
            self._add_root(Path(options.folder), "dataset.folder", False)
        if options.regularization_folder:
            self._add_regularization(Path(options.regularization_folder))
        self._folders.check_exclude()

    @property
    def problems(self) -> list[Problem]:
        return self._folders.problems

    def _add_regularization(self, folder: Path) -> None:
        where = "dataset.regularization_folder"
        used = {concept.folder.resolve() for concept in self.concepts}
        self._add_root(folder, where, True)
        for concept in self.concepts:
            if concept.is_regularization and concept.folder.resolve() in used:
                self._folders.error(
                    f"{concept.folder} is also trained as a concept.",
                    where,
                    "Give class pictures a folder of their own.",
                )

    def _add_concept(self, options: ConceptOptions, where: str) -> None:
        """One of ``dataset.concepts``: its own repeats count, whatever the folder's name."""
        listing = self._folders.listing(Path(options.folder), where)
        if listing is None:
            return
        pictures = self._folders.pictures(listing)
        if not pictures:
            if self._folders.has_excluded(listing):
                self._folders.note(f"All pictures of {listing.folder} are left out.", where)
            else:
                explain_empty(self._folders, listing, where, False)
            return
        _, name = parse_name(listing.folder.name) or (0, listing.folder.name)
        concept = self._concept(listing, pictures, options.name or name, options.repeats, False)
        if options.trigger_words is not None:
            concept = replace(concept, trigger_words=tuple(options.trigger_words))
        self.concepts.append(replace(concept, prompt=options.prompt))
        warn_nested(self._folders, listing, where)

    def _add_root(self, folder: Path, where: str, is_regularization: bool) -> None:
        """A folder that is flat or holds ``N_name`` folders."""
        listing = self._folders.listing(folder, where)
        if listing is None:
            return
        pictures = self._folders.pictures(listing)
        found = self._numbered(listing, where, is_regularization)
        if found:
            self.concepts.extend(found)
            if pictures:
                self._folders.warn(
                    f"{counted(len(pictures), 'picture')} beside the N_name folders of {folder} "
                    "are not used.",
                    where,
                    "List every folder under dataset.concepts to use them as well.",
                    listed(self._folders, [folder, *(concept.folder for concept in found)], where),
                )
            warn_unnumbered(self._folders, listing, where)
        elif pictures:
            self.concepts.append(self._flat(listing, pictures, where, is_regularization))
            warn_nested(self._folders, listing, where)
        else:
            explain_empty(self._folders, listing, where, is_regularization)

    def _numbered(
        self, listing: FolderListing, where: str, is_regularization: bool
    ) -> list[ConceptFolder]:
        """The concepts of the ``N_name`` folders in a folder."""
        found: list[ConceptFolder] = []
        for folder in listing.folders:
            parsed = parse_name(folder.name)
            inner = self._folders.listing(folder, where, listing.folder) if parsed else None
            if parsed is None or inner is None:
                continue
            repeats, name = parsed
            pictures = self._folders.pictures(inner)
            if not 1 <= repeats <= MOST_REPEATS:
                self._folders.warn(
                    f"{folder.name}: {repeats} repeats, so its {len(pictures)} pictures are not "
                    "used.",
                    where,
                    f"Repeats go from 1 to {MOST_REPEATS}.",
                )
            elif not pictures:
                self._folders.warn(f"{folder.name} has no pictures in it.", where)
            else:
                found.append(self._concept(inner, pictures, name, repeats, is_regularization))
                warn_nested(self._folders, inner, where)
        return found

    def _flat(
        self,
        listing: FolderListing,
        pictures: tuple[FileEntry, ...],
        where: str,
        is_regularization: bool,
    ) -> ConceptFolder:
        folder = listing.folder
        repeats = 1 if is_regularization else self._options.repeats
        parsed = parse_name(folder.name)
        if parsed is None:
            return self._concept(listing, pictures, folder.name, repeats, is_regularization)
        number, name = parsed
        # By value, not by whether it was written: a run's own TOML has every value written out.
        if repeats == 1 and 1 <= number < _PERHAPS_A_YEAR:
            repeats = number
        self._folders.note(
            f"{folder.name} is itself a folder of the form N_name: its pictures are taken as "
            f"the concept {name!r} with {counted(repeats, 'repeat')}.",
            where,
            f"Give {folder.parent} to train all folders in it, or for other repeats:\n"
            + concepts_toml([folder]),
            folder_mends([folder.parent], where) if has_sisters(folder) else (),
        )
        return self._concept(listing, pictures, name, repeats, is_regularization)

    def _concept(
        self,
        listing: FolderListing,
        pictures: tuple[FileEntry, ...],
        name: str,
        repeats: int,
        is_regularization: bool,
    ) -> ConceptFolder:
        words = () if is_regularization else self._trigger_words
        return ConceptFolder(
            listing.folder,
            name,
            repeats,
            is_regularization,
            words,
            pictures,
            listing,
            masks=self._folders.masks(listing),
        )
