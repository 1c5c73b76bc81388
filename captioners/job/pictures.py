"""Which pictures are captioned, and which are left out from the start, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.dataset.caption_files import current_caption
from ...core.dataset.captions import CaptionError
from ...core.dataset.folders import FileEntry
from ...core.dataset.layout import ConceptFolder, Layout
from ...core.errors import Problem, ProblemsError
from .task import CaptionTask


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that a caption is wanted for."""

    file: FileEntry
    prefix: str


@dataclass(frozen=True)
class Found:
    """The pictures of a task."""

    wanted: list[Wanted]
    kept: int
    """How many have a caption and are to keep it."""
    left: dict[Path, str]
    """Those that cannot be captioned, and why."""
    problems: list[Problem]
    """What else there is to say about the folders."""


def find_pictures(task: CaptionTask) -> Found:
    """The training pictures of the task's dataset, in the order of their names; none is opened.
    Raises ProblemsError when the folders cannot be used, or hold none."""
    layout = Layout(task.dataset_options, task.trigger_words)
    errors = [problem for problem in layout.problems if problem.severity == "error"]
    if errors:
        raise ProblemsError("There are no pictures to caption", errors)
    wanted: list[Wanted] = []
    left: dict[Path, str] = {}
    kept = 0
    for concept in layout.concepts:
        prefix = _prefix(task, concept)
        for file, reason in _files(concept):
            if not reason and task.mode == "missing":
                has_caption, reason = _has_caption(file.path)
                if has_caption:
                    kept += 1
                    continue
            if reason:
                left[file.path] = reason
            else:
                wanted.append(Wanted(file, prefix))
    if not (wanted or kept or left):
        said = Problem("No pictures are given.", "dataset.folder", remedy="Name their folder.")
        raise ProblemsError("There are no pictures to caption", [said])
    return Found(wanted, kept, left, layout.problems)


def _files(concept: ConceptFolder) -> Iterator[tuple[FileEntry, str]]:
    """The concept's pictures, and why one cannot have a caption."""
    stems = Counter(_stem(file) for file in concept.pictures)
    for file in concept.pictures:
        shared = stems[_stem(file)] > 1
        reason = f"another picture would share its caption, {_stem(file)}.txt" if shared else ""
        yield file, reason


def _has_caption(picture: Path) -> tuple[bool, str]:
    try:
        return bool(current_caption(picture)), ""
    except CaptionError as error:
        return False, f"its caption {error}"


def _prefix(task: CaptionTask, concept: ConceptFolder) -> str:
    if task.prefix is not None:
        return task.prefix
    words = [word.strip() for word in concept.trigger_words if word.strip()]
    return "".join(f"{word}, " for word in words)


def _stem(file: FileEntry) -> str:
    return file.name.rpartition(".")[0]
