"""Which pictures are captioned, and which are left out from the start, with the reason."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.config import CaptionOptions
from ...core.dataset.caption_sources import CaptionSources
from ...core.dataset.captions import EXTENSIONS, CaptionError, read_caption
from ...core.dataset.folders import FileEntry
from ...core.dataset.images import Progress
from ...core.dataset.layout import ConceptFolder, Layout
from ...core.errors import Problem, ProblemsError
from .task import CaptionTask

_TITLE = "There are no pictures to caption"
_TOLD_AFTER = 1_000
"""Pictures."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that a caption is wanted for."""

    file: FileEntry
    prefix: str
    caption: str = ""
    """What it has, as far as it counts: whatever it is where only missing ones are wanted; where
    they are added to, what a file of many captions says, whose place a caption file takes."""


@dataclass(frozen=True)
class Found:
    """The pictures of a task."""

    wanted: list[Wanted]
    kept: int
    """How many have a caption and are to keep it."""
    left: dict[Path, str]
    """Those that cannot be captioned, and why."""
    problems: list[Problem]
    """What else there is to say about the folders, and the files of many captions."""


def find_pictures(task: CaptionTask, progress: Progress | None = None) -> Found:
    """The training pictures of the task's dataset, in the order of their names; none is opened, but
    the captions are read where they count. Raises ProblemsError when the folders cannot be used, or
    hold none, or a file of many captions that is named cannot be read."""
    layout = Layout(task.dataset_options, task.trigger_words)
    _raise_errors(layout.problems)
    total = sum(len(concept.pictures) for concept in layout.concepts)
    if not total:
        said = Problem("No pictures are given.", "dataset.folder", remedy="Name their folder.")
        raise ProblemsError(_TITLE, [said])
    folder = task.dataset_options.folder
    # What is replaced need not be readable.
    options = CaptionOptions() if task.mode == "overwrite" else task.caption_options
    sources = CaptionSources(options, Path(folder) if folder else None)
    wanted: list[Wanted] = []
    left: dict[Path, str] = {}
    kept = done = 0
    for concept in layout.concepts:
        for item, reason in _judged(concept, task, sources):
            if reason:
                left[item.file.path] = reason
            elif task.mode == "missing" and item.caption:
                kept += 1
            else:
                wanted.append(item)
            done += 1
            if progress and (done % _TOLD_AFTER == 0 or done == total):
                progress(done, total)
    told = sources.finish()
    _raise_errors(told)
    return Found(wanted, kept, left, [*layout.problems, *told])


def _judged(
    concept: ConceptFolder, task: CaptionTask, sources: CaptionSources
) -> Iterator[tuple[Wanted, str]]:
    """The concept's pictures, and why one cannot have a caption."""
    prefix, beside = _prefix(task, concept), _Beside(concept)
    stems = Counter(_stem(file) for file in concept.pictures)
    looks = task.mode != "overwrite"
    tables = sources.in_tables(concept, concept.pictures) if looks else {}
    for file in concept.pictures:
        stem, text = _stem(file), ""
        if stems[stem] > 1:
            reason = f"another picture would share its caption, {stem}.txt"
        else:
            reason = beside.reason(stem)
        if looks and not reason:
            entry = tables.get(file.name)
            text, reason = beside.text(stem, entry.text if entry else "", task)
        yield Wanted(file, prefix, text), reason


def _raise_errors(problems: list[Problem]) -> None:
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise ProblemsError(_TITLE, errors)


class _Beside:
    """The caption files beside a concept's pictures, as the folder's listing tells them: of a
    hundred thousand, each need not be looked for."""

    def __init__(self, concept: ConceptFolder) -> None:
        listing = concept.listing
        self._there = {name for name in listing.names if name.endswith(EXTENSIONS)}
        self._odd = {item.path.name for item in listing.skipped}
        self._within = os.path.join(concept.folder, "")  # noqa: PTH118 - faster than a Path each

    def reason(self, stem: str) -> str:
        """Why the picture's caption file cannot be written; empty if it can."""
        name = _first(stem, self._odd)
        return f"{name} is a link or no file, and is not replaced" if name else ""

    def text(self, stem: str, in_table: str, task: CaptionTask) -> tuple[str, str]:
        """(the caption as it stands, why it cannot be read). A file comes before a table; where
        there is one, a caption that is added to is read only when it is written."""
        name = _first(stem, self._there)
        if not name:
            return in_table, ""
        if task.mode != "missing":
            return "", ""
        try:
            return read_caption(self._within + name).text, ""
        except CaptionError as error:
            return "", f"its caption {error}"


def _first(stem: str, names: set[str]) -> str:
    return next((stem + ending for ending in EXTENSIONS if stem + ending in names), "")


def _prefix(task: CaptionTask, concept: ConceptFolder) -> str:
    if task.prefix is not None:
        return task.prefix
    words = [word.strip() for word in concept.trigger_words if word.strip()]
    return "".join(f"{word}, " for word in words)


def _stem(file: FileEntry) -> str:
    return file.name.rpartition(".")[0]
