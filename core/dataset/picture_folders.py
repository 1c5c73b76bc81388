"""The folders of a configuration as they are found: the pictures in them, and what is left out."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Any

from ..config import DatasetOptions
from ..errors import Mend, Problem
from .archive_words import is_archive, not_a_folder
from .folders import FileEntry, FolderListing, list_folder
from .images import EXTENSIONS
from .layout_words import CLASS_PICTURES, DRAWS, counted, folder_mends, nearest, try_list
from .masks import mask_names


class PictureFolders:
    """Lists folders for ``options`` and collects what there is to say about them."""

    def __init__(self, options: DatasetOptions) -> None:
        self.options = options
        self.problems: list[Problem] = []
        self._excluded: dict[str, set[Path]] = {}
        self._split: (
            tuple[FolderListing, tuple[tuple[FileEntry, ...], tuple[FileEntry, ...]]] | None
        ) = None

    def listing(self, folder: Path, where: str, root: Path | None = None) -> FolderListing | None:
        """What is in ``folder``, which ``where`` names; None, and said, where that fails."""
        try:
            listing = list_folder(folder, root)
        except FileNotFoundError:
            remedy, mends = nearest(folder, where)
            if where == CLASS_PICTURES:
                remedy = f"{remedy} {DRAWS}"
                mends = (*mends, Mend("Train without class pictures", {where: ""}))
            self.error(f"There is no folder {folder}.", where, remedy, mends)
        except NotADirectoryError:
            message, remedy = not_a_folder(folder)
            mends = () if is_archive(folder) else folder_mends([folder.parent], where)
            self.error(message, where, remedy, mends)
        except OSError as error:
            remedy = "Change its permissions, or choose another folder."
            self.error(f"{folder} cannot be read: {error.strerror or error}.", where, remedy)
        else:
            for item in listing.skipped:
                self.warn(f"Left out: {item.path} is {item.reason}.", where)
            return listing
        return None

    def pictures(self, listing: FolderListing) -> tuple[FileEntry, ...]:
        """Files that are named like pictures, masks apart, and not excluded; not yet opened."""
        return self._kept(listing, masks=False)

    def masks(self, listing: FolderListing) -> tuple[FileEntry, ...]:
        """The masks of its pictures that are not excluded; not yet opened."""
        return self._kept(listing, masks=True)

    def with_pictures(self, listing: FolderListing) -> list[Path]:
        """The folders in a folder that have pictures in them."""
        return [
            folder
            for folder in listing.folders
            if (inner := try_list(folder, listing.folder)) and self.pictures(inner)
        ]

    def has_excluded(self, listing: FolderListing) -> bool:
        """Whether any of its pictures is left out."""
        return any(
            listing.folder == path.parent for found in self._excluded.values() for path in found
        )

    def check_exclude(self) -> None:
        """When all has been listed: say what was left out, and which pattern left out nothing."""
        for pattern in self.options.exclude:
            if pattern not in self._excluded:
                self.warn(f"{pattern!r} matches no picture.", "dataset.exclude")
        total = sum(len(paths) for paths in self._excluded.values())
        if total:
            self.note(f"{counted(total, 'picture')} left out as asked.", "dataset.exclude")

    def error(self, *said: Any) -> None:
        """Say an error: message, where, remedy, mends."""
        self.problems.append(_problem("error", *said))

    def warn(self, *said: Any) -> None:
        """Say a warning, likewise."""
        self.problems.append(_problem("warning", *said))

    def note(self, *said: Any) -> None:
        """Say a note, likewise."""
        self.problems.append(_problem("note", *said))

    def _kept(self, listing: FolderListing, *, masks: bool) -> tuple[FileEntry, ...]:
        wanted = self._split_into_pictures_and_masks(listing)[masks]
        if not self.options.exclude:
            return wanted
        return tuple(file for file in wanted if not self._is_excluded(file.path))

    def _split_into_pictures_and_masks(
        self, listing: FolderListing
    ) -> tuple[tuple[FileEntry, ...], tuple[FileEntry, ...]]:
        # Asked for both in turn, of thousands of names.
        if self._split is None or self._split[0] is not listing:
            named = listing.of_kinds(EXTENSIONS)
            among = mask_names(file.name for file in named)
            pictures = tuple(file for file in named if file.name not in among)
            masks = tuple(file for file in named if file.name in among)
            self._split = listing, (pictures, masks)
        return self._split[1]

    def _is_excluded(self, path: Path) -> bool:
        """By its name, or, where the pattern has a slash, by its path relative to the folder that
        the configuration names or with the name of the folder that it is in."""
        roots = [self.options.folder, self.options.regularization_folder]
        roots += [concept.folder for concept in self.options.concepts]
        with_folder = [f"{path.parent.name}/{path.name}"]
        for root in roots:
            if root and path.is_relative_to(root):
                with_folder.append(path.relative_to(root).as_posix())
        for pattern in self.options.exclude:
            names = with_folder if "/" in pattern else [path.name]
            if any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in names):
                self._excluded.setdefault(pattern, set()).add(path)
                return True
        return False


def _problem(
    severity: str, message: str, where: str, remedy: str = "", mends: tuple[Mend, ...] = ()
) -> Problem:
    return Problem(message, where, remedy=remedy, severity=severity, mends=mends)
