"""Where each picture's caption comes from: a file beside it, or a table of many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..config import CaptionOptions
from ..errors import Problem
from .caption_tables import FOUND_BY_ITSELF, CaptionTable, read_table, told
from .captions import EXTENSIONS, Caption, CaptionError, read_caption
from .folders import FileEntry
from .images import Picture
from .layout import ConceptFolder

_KEY = "captions.metadata"


class CaptionSources:
    """Reads captions, concept after concept, and collects what there is to say.

    A file beside a picture comes before any table: it is what the wizard and every other tool
    write when a caption is changed. Of two tables, the one that was named comes first.
    """

    def __init__(self, options: CaptionOptions, folder: Path | None = None) -> None:
        """``folder``: the one that holds the concepts', which may have a table too."""
        self.problems: list[Problem] = []
        self._options = options
        self._read: dict[Path, CaptionTable | None] = {}
        self._used: dict[Path, set[str]] = {}
        self._both: dict[str, list[str]] = {}
        self._named = self._table(Path(options.metadata), _KEY) if options.metadata else None
        self._above = folder and folder / FOUND_BY_ITSELF

    def captions(
        self, concept: ConceptFolder, pictures: Sequence[Picture | FileEntry]
    ) -> dict[str, Caption]:
        """By the picture's name; those without any are not in it."""
        where = "dataset.regularization_folder" if concept.is_regularization else "dataset"
        there = set(concept.listing.names)
        within = os.path.join(concept.folder, "")  # noqa: PTH118 - faster than a Path each
        tables = self._tables(concept)
        found: dict[str, Caption] = {}
        remarks: dict[str, list[str]] = {}
        for picture in pictures:
            stem = picture.name.rpartition(".")[0]
            names = [stem + ending for ending in EXTENSIONS if stem + ending in there]
            entry = self._entry(picture.path, tables) if tables else None
            if names:
                name = names[0]
                try:
                    caption = read_caption(within + name, lines=self._options.wildcards)
                except CaptionError as error:
                    remedy = "Save it as UTF-8 text, or remove it."
                    self.problems.append(Problem(f"{within}{name}: {error}.", where, remedy=remedy))
                    continue
                found[picture.name] = caption
                for remark in caption.remarks:
                    remarks.setdefault(remark, []).append(name)
                if names[1:]:
                    remarks.setdefault("is read, not the .caption beside it", []).append(name)
                if entry:
                    self._both.setdefault(entry.file, []).append(name)
            elif entry:
                found[picture.name] = entry
        for remark, names in sorted(remarks.items()):
            message = f"{concept.name}: caption {remark}: {some(names)}."
            self.problems.append(Problem(message, where, severity="warning"))
        return found

    def in_tables(
        self, concept: ConceptFolder, pictures: Iterable[Picture | FileEntry]
    ) -> dict[str, Caption]:
        """By the picture's name, what tables say of it, whatever stands beside it."""
        if not (tables := self._tables(concept)):
            return {}
        entries = ((picture.name, self._entry(picture.path, tables)) for picture in pictures)
        return {name: entry for name, entry in entries if entry}

    def finish(self) -> list[Problem]:
        """All that there is to say, once every concept was read."""
        for table in self._read.values():
            if table is None:
                continue
            used, both = self._used[table.path], self._both.get(str(table.path), [])
            path = _short(table.path)
            if used:
                message = f"{path} has the captions of {_pictures(len(used))}."
                if both:
                    theirs = "picture has" if len(both) == 1 else "pictures have"
                    message += (
                        f" {len(both)} {theirs} a caption file beside it too, which is what is "
                        f"trained: {some(both)}."
                    )
                self._say(message, severity="note")
            unknown = [name for name in table.texts if name not in used]
            if unknown and not used:
                message = f"{path} names no picture of this dataset; it has {some(unknown)}."
                self._say(message, "Names count from its own folder, or are file names alone.")
            elif unknown:
                are = "is" if len(unknown) == 1 else "are"
                said = f"{len(unknown)} of its {len(table.texts)} captions {are} of no picture here"
                self._say(f"{path}: {said}: {some(unknown)}.", severity="note")
            if table.bad:
                self._say(f"{path}, not used: {told(table.bad)}.", "Mend it.")
        return self.problems

    def _tables(self, concept: ConceptFolder) -> list[CaptionTable]:
        paths = [concept.folder / FOUND_BY_ITSELF]
        there = [path for path in paths if path.name in concept.listing.names]
        if self._above and self._above != paths[0] and self._above.is_file():
            there.append(self._above)
        found = [self._table(path) for path in there]
        return [table for table in (self._named, *found) if table is not None]

    def _table(self, path: Path, key: str = "") -> CaptionTable | None:
        if path not in self._read:
            self._used[path] = set()
            try:
                self._read[path] = read_table(path, self._options.separator)
            except CaptionError as error:
                self._read[path] = None
                remedy = (
                    'Mend it, or set it to "".' if key else "It is not used; mend or remove it."
                )
                self._say(f"{_short(path)} {error}.", remedy, "error" if key else "warning")
        return self._read[path]

    def _entry(self, picture: Path, tables: Iterable[CaptionTable]) -> Caption | None:
        for table in tables:
            if (name := table.name_of(picture)) is not None:
                self._used[table.path].add(name)
                return table.caption(name, lines=self._options.wildcards)
        return None

    def _say(self, message: str, remedy: str = "", severity: str = "warning") -> None:
        self.problems.append(Problem(message, _KEY, remedy=remedy, severity=severity))


def some(names: Sequence[str], limit: int = 5) -> str:
    """The first few of many names."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _short(path: Path) -> str:
    """With the folder that it is in: a note is no place for a long path."""
    return f"{path.parent.name}/{path.name}"


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"
