"""Findings about the draft's pictures, and which pictures the person leaves out because of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event

from ...core.config import RunConfig
from ...core.dataset.images import Progress
from ...core.dataset.layout_words import counted
from ...core.errors import WizardError
from ...core.families import registry
from ...core.look.finding import Finding
from ...core.look.leaving_out import KEY, pattern_of
from ...core.look.pictures import pictures_of
from .draft import Draft


def looked_at(config: RunConfig, progress: Progress, stop: Event) -> tuple[int, list[Finding]]:
    """How many pictures there are, and what was found. Raises WizardError, and CancelledError when
    ``stop`` is set. For a thread: every picture is decoded the first time."""
    from ...core.look.examine import examine

    spec = registry.find(config.model.family)
    found = pictures_of(config.dataset, spec, mask=config.loss.mask)
    return len(found.pictures), examine(found, progress=progress, stop=stop)


class LeavingOut:
    """Puts pictures into the draft's ``dataset.exclude`` and takes them out of it; the files of the
    dataset are never touched. Each change can be taken back."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._before: list[list[str]] = []

    def is_out(self, path: Path) -> bool:
        """Whether a picture is left out by its own name."""
        return pattern_of(path) in self._patterns()

    def turn(self, path: Path) -> None:
        """Leave a picture out, or take it in again."""
        pattern, patterns = pattern_of(path), self._patterns()
        if pattern in patterns:
            self._put([item for item in patterns if item != pattern])
        else:
            self._put([*patterns, pattern])

    def leave_out(self, paths: Iterable[Path]) -> int:
        """Leave all of these out; returns how many were not yet."""
        patterns = self._patterns()
        more = [item for item in map(pattern_of, paths) if item not in patterns]
        if more:
            self._put([*patterns, *more])
        return len(more)

    def undo(self) -> bool:
        """Take the last change back; False when there is none."""
        if not self._before:
            return False
        self._draft.put(KEY, self._before.pop() or None)
        return True

    def count(self, findings: Sequence[Finding]) -> int:
        """How many pictures of the findings are left out."""
        return len(
            {item.path for found in findings for item in found.pictures if self.is_out(item.path)}
        )

    def _patterns(self) -> list[str]:
        return list(self._draft.value(KEY) or [])

    def _put(self, patterns: list[str]) -> None:
        self._before.append(self._patterns())
        self._draft.put(KEY, patterns or None)


def status(pictures: int, findings: Sequence[Finding], out: int) -> str:
    """Where one stands, in a line."""
    if not findings:
        return f"{counted(pictures, 'picture')} looked at: nothing to think about."
    text = f"{counted(pictures, 'picture')}, {counted(len(findings), 'finding')}"
    return f"{text}; {out} left out, their files stay" if out else f"{text}; none left out"


def explained(error: WizardError) -> str:
    """An error in a line."""
    return " ".join(part for part in (error.title, error.message, error.remedy) if part)
