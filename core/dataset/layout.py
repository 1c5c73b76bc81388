"""From the folders of a configuration to concepts, whatever way they are laid out.

Read are a flat folder of pictures, sd-scripts' layout (a folder of ``N_name`` folders, N being the
repeats) and ``dataset.concepts``. The slips that cost people most time are recognised and answered
with what was found and the lines of TOML that mend it; the user's files are never moved.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config import ConceptOptions, DatasetOptions
from ..errors import Mend, Problem
from .archive_words import is_archive, not_a_folder
from .folders import FileEntry, FolderListing, list_folder
from .images import is_picture_name
from .layout_words import (
    MOST_REPEATS,
    concepts_mend,
    concepts_toml,
    content,
    counted,
    folder_mends,
    has_sisters,
    levels,
    names,
    nearest,
    parse_name,
    try_list,
)

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


class Layout:
    """The concepts that were found, and what there is to say about the folders."""

    def __init__(self, options: DatasetOptions, trigger_words: Iterable[str]) -> None:
        self.concepts: list[ConceptFolder] = []
        self.problems: list[Problem] = []
        self._options = options
        self._trigger_words = tuple(trigger_words)
        self._excluded: dict[str, set[Path]] = {}
        for number, concept in enumerate(options.concepts):
            self._add_concept(concept, f"dataset.concepts[{number}].folder")
        if options.folder:
            self._add_root(Path(options.folder), "dataset.folder", False)
        if options.regularization_folder:
            self._add_regularization(Path(options.regularization_folder))
        self._check_exclude()

    def _add_regularization(self, folder: Path) -> None:
        where = "dataset.regularization_folder"
        used = {concept.folder.resolve() for concept in self.concepts}
        self._add_root(folder, where, True)
        for concept in self.concepts:
            if concept.is_regularization and concept.folder.resolve() in used:
                self._error(
                    f"{concept.folder} is also trained as a concept.",
                    where,
                    "Give class pictures a folder of their own.",
                )

    def _add_concept(self, options: ConceptOptions, where: str) -> None:
        """One of ``dataset.concepts``: its own repeats count, whatever the folder's name."""
        listing = self._list(Path(options.folder), where)
        if listing is None:
            return
        pictures = self._pictures(listing)
        if not pictures:
            self._explain_empty(listing, where, False)
            return
        _, name = parse_name(listing.folder.name) or (0, listing.folder.name)
        concept = self._concept(listing, pictures, options.name or name, options.repeats, False)
        if options.trigger_words is not None:
            concept = replace(concept, trigger_words=tuple(options.trigger_words))
        self.concepts.append(replace(concept, prompt=options.prompt))
        self._warn_nested(listing, where)

    def _add_root(self, folder: Path, where: str, is_regularization: bool) -> None:
        """A folder that is flat or holds ``N_name`` folders."""
        listing = self._list(folder, where)
        if listing is None:
            return
        pictures = self._pictures(listing)
        found = self._numbered(listing, where, is_regularization)
        if found:
            self.concepts.extend(found)
            if pictures:
                self._warn(
                    f"{counted(len(pictures), 'picture')} beside the N_name folders of {folder} "
                    "are not used.",
                    where,
                    "List every folder under dataset.concepts to use them as well.",
                    self._listed([folder, *(concept.folder for concept in found)], where),
                )
            self._warn_unnumbered(listing, where)
        elif pictures:
            self.concepts.append(self._flat(listing, pictures, where, is_regularization))
            self._warn_nested(listing, where)
        else:
            self._explain_empty(listing, where, is_regularization)

    def _numbered(
        self, listing: FolderListing, where: str, is_regularization: bool
    ) -> list[ConceptFolder]:
        """The concepts of the ``N_name`` folders in a folder."""
        found: list[ConceptFolder] = []
        for folder in listing.folders:
            parsed = parse_name(folder.name)
            inner = self._list(folder, where, listing.folder) if parsed else None
            if parsed is None or inner is None:
                continue
            repeats, name = parsed
            pictures = self._pictures(inner)
            if not 1 <= repeats <= MOST_REPEATS:
                self._warn(
                    f"{folder.name}: {repeats} repeats, so its {len(pictures)} pictures are not "
                    "used.",
                    where,
                    f"Repeats go from 1 to {MOST_REPEATS}.",
                )
            elif not pictures:
                self._warn(f"{folder.name} has no pictures in it.", where)
            else:
                found.append(self._concept(inner, pictures, name, repeats, is_regularization))
                self._warn_nested(inner, where)
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
        self._note(
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
            listing.folder, name, repeats, is_regularization, words, pictures, listing
        )

    def _list(self, folder: Path, where: str, root: Path | None = None) -> FolderListing | None:
        try:
            listing = list_folder(folder, root)
        except FileNotFoundError:
            self._error(f"There is no folder {folder}.", where, *nearest(folder, where))
        except NotADirectoryError:
            message, remedy = not_a_folder(folder)
            mends = () if is_archive(folder) else folder_mends([folder.parent], where)
            self._error(message, where, remedy, mends)
        except OSError as error:
            remedy = "Change its permissions, or choose another folder."
            self._error(f"{folder} cannot be read: {error.strerror or error}.", where, remedy)
        else:
            for item in listing.skipped:
                self._warn(f"Left out: {item.path} is {item.reason}.", where)
            return listing
        return None

    def _pictures(self, listing: FolderListing) -> tuple[FileEntry, ...]:
        named = [file for file in listing.files if is_picture_name(file.name)]
        if not self._options.exclude:
            return tuple(named)
        return tuple(file for file in named if not self._is_excluded(file.path))

    def _is_excluded(self, path: Path) -> bool:
        """By its name, or, where the pattern has a slash, by its path relative to the folder that
        the configuration names or with the name of the folder that it is in."""
        roots = [self._options.folder, self._options.regularization_folder]
        roots += [concept.folder for concept in self._options.concepts]
        with_folder = [f"{path.parent.name}/{path.name}"]
        for root in roots:
            if root and path.is_relative_to(root):
                with_folder.append(path.relative_to(root).as_posix())
        for pattern in self._options.exclude:
            names = with_folder if "/" in pattern else [path.name]
            if any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in names):
                self._excluded.setdefault(pattern, set()).add(path)
                return True
        return False

    def _check_exclude(self) -> None:
        for pattern in self._options.exclude:
            if pattern not in self._excluded:
                self._warn(f"{pattern!r} matches no picture.", "dataset.exclude")
        total = sum(len(paths) for paths in self._excluded.values())
        if total:
            self._note(f"{counted(total, 'picture')} left out as asked.", "dataset.exclude")

    def _warn_nested(self, listing: FolderListing, where: str) -> None:
        used = {Path(item.folder) for item in self._options.concepts}
        used |= {Path(self._options.regularization_folder or "/")}
        inner = [folder for folder in self._with_pictures(listing) if folder not in used]
        if inner:
            self._warn(
                f"{listing.folder} also holds folders with pictures, which are not used: "
                f"{names(inner)}.",
                where,
                "To train them too, list every folder:\n" + concepts_toml([listing.folder, *inner]),
                self._listed([listing.folder, *inner], where),
            )

    def _warn_unnumbered(self, listing: FolderListing, where: str) -> None:
        others = [
            folder for folder in self._with_pictures(listing) if parse_name(folder.name) is None
        ]
        if others:
            numbered = [folder for folder in listing.folders if parse_name(folder.name)]
            self._warn(
                f"Not used, since their names do not begin with repeats and an underscore: "
                f"{names(others)}.",
                where,
                "To train them too, list every folder:\n" + concepts_toml([*numbered, *others]),
                self._listed([*numbered, *others], where),
            )

    def _explain_empty(self, listing: FolderListing, where: str, is_regularization: bool) -> None:
        """No picture where one was expected: say what is there, and the way that would work."""
        folder = listing.folder
        inner = self._with_pictures(listing)
        if inner:
            remedy = "List the folders instead of dataset.folder:\n" + concepts_toml(inner)
            listed = self._listed(inner, where) if inner[1:] else ()
            mends = (*listed, *folder_mends(inner[:2], where))
            if is_regularization:
                remedy = f"Give one of them, such as {inner[0]}."
                mends = folder_mends(inner[:3], where)
            message = f"{folder} has no pictures itself; these folders in it have: {names(inner)}."
            self._error(message, where, remedy, mends)
            return
        deeper = {
            child: self._with_pictures(inner_listing)
            for child in listing.folders
            if (inner_listing := try_list(child, folder))
        }
        below = [child for child, grandchildren in deeper.items() if grandchildren]
        if below:
            self._error(f"{folder} is one level too high.", where, *levels(below, where))
            return
        self._error(
            f"{folder} has no pictures in it: {content(listing)}.",
            where,
            "Pictures are .jpg, .jpeg, .png, .webp, .bmp or .avif."
            + (' Or set it to "" to train without.' if is_regularization else ""),
        )

    def _listed(self, folders: list[Path], where: str) -> tuple[Mend, ...]:
        if where != "dataset.folder" or self._options.concepts:
            return ()
        return concepts_mend(folders, self._options.repeats)

    def _with_pictures(self, listing: FolderListing) -> list[Path]:
        return [
            folder
            for folder in listing.folders
            if (inner := try_list(folder, listing.folder)) and self._pictures(inner)
        ]

    def _error(self, *said: Any) -> None:
        self.problems.append(_problem("error", *said))

    def _warn(self, *said: Any) -> None:
        self.problems.append(_problem("warning", *said))

    def _note(self, *said: Any) -> None:
        self.problems.append(_problem("note", *said))


def _problem(
    severity: str, message: str, where: str, remedy: str = "", mends: tuple[Mend, ...] = ()
) -> Problem:
    return Problem(message, where, remedy=remedy, severity=severity, mends=mends)
