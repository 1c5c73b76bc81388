"""From answers to caption files: what a person has written meanwhile is never written over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ...core.dataset.caption_files import (
    CaptionFiles,
    Outcome,
    caption_digest,
    current_caption,
)
from ...core.dataset.caption_journal import Change
from ...core.dataset.captions import CaptionError, begins_with, split_tags
from ...core.errors import WizardError
from ...core.files import write_json
from .pictures import Wanted
from .task import CaptionTask

_TITLE = "captions of "
_PORTION = 1_000
_MOST_PORTIONS = 100
CHANGED = "its caption was changed while the pictures were looked at"


def new_title(captioner: str, files: CaptionFiles) -> str:
    """What a captioning that begins now is called in the list of changes: as no other is, since all
    of one title are undone together."""
    title = f"{_TITLE}{captioner}, {time.strftime('%Y-%m-%d %H:%M:%S')}"
    known, number, new = {change.title for change in files.changes()}, 1, title
    while new in known:
        number += 1
        new = f"{title} ({number})"
    return new


def latest(files: CaptionFiles) -> list[Change]:
    """The changes of the latest captioning, the last one first: it may have several, since a job
    writes in portions. Empty when there is none to undo."""
    titled = [change for change in files.changes() if change.title.startswith(_TITLE)]
    return [change for change in titled if change.title == titled[0].title]


def undo(
    files: CaptionFiles, changes: Iterable[Change], look: Callable[[int, int], None] | None = None
) -> Outcome:
    """Bring back what stood in the caption files before ``changes``. Raises WizardError."""
    restored: dict[Path, str] = {}
    left: dict[Path, str] = {}
    for change in changes:
        outcome = files.undo(change, look)
        restored |= outcome.written
        left |= outcome.left
    return Outcome(restored, left)


class Begun:
    """What is remembered from the beginning of a task to its end, over all its attempts: its title,
    and what the caption files held then."""

    def __init__(self, path: Path, task: CaptionTask, captioner: str) -> None:
        """The one at ``path``, if it is this task's."""
        self._path = path
        self._key = task.key()
        self.title = ""
        self.before: dict[str, str | None] = {}
        self.is_new = not self._read()
        if self.is_new:
            self.title = new_title(captioner, task.files)

    def note(self, pictures: Iterable[Path]) -> None:
        """Remember what stands beside ``pictures`` now. Raises WriteError."""
        digests = ((str(path), caption_digest(path)) for path in pictures)
        self.before = {path: digest for path, digest in digests if digest is not None}
        found = {"task": self._key, "title": self.title, "before": self.before}
        write_json(self._path, found)

    def forget(self) -> None:
        """The task has come to its end."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> bool:
        try:
            found = json.loads(self._path.read_bytes())
            if found["task"] != self._key:
                return False
            self.title, self.before = str(found["title"]), dict(found["before"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True


class Writer:
    """Gathers captions and writes them in portions, which are undone as one."""

    def __init__(self, task: CaptionTask, begun: Begun, total: int) -> None:
        """``total``: how many may come. Raises WizardError."""
        self.written = 0
        self.same = 0
        """Files that said it already."""
        self.left: dict[Path, str] = {}
        self._task = task
        self._files = task.files
        self._begun = begun
        self._portion = max(_PORTION, total // _MOST_PORTIONS)
        self._waiting: dict[Path, tuple[Wanted, str]] = {}
        self._ours = {} if begun.is_new else self._written_before()

    @property
    def waiting(self) -> int:
        """How many captions are not written yet."""
        return len(self._waiting)

    def add(self, wanted: Wanted, text: str) -> None:
        """Take a caption up. Raises WriteError, as `flush`."""
        self._waiting[wanted.file.path] = (wanted, text)
        if len(self._waiting) >= self._portion:
            self.flush()

    def flush(self, look: Callable[[int, int], None] | None = None) -> None:
        """Write what was gathered. Raises WriteError: what is not written then, the next attempt
        writes."""
        ready: dict[Path, str] = {}
        for picture, (wanted, text) in self._waiting.items():
            try:
                composed = self._composed(picture, wanted, text)
            except CaptionError as error:
                self.left[picture] = f"its caption {error}"
                continue
            if composed is None:
                self.written += 1
            elif composed:
                ready[picture] = composed
            else:
                self.left[picture] = CHANGED
        self._waiting.clear()
        mode = "missing" if self._task.mode == "missing" else "overwrite"
        outcome = self._files.write(ready, self._begun.title, mode=mode, progress=look)
        self.written += len(outcome.written)
        self.left |= outcome.left
        untouched = set(ready) - {*outcome.written, *outcome.left}
        if mode == "missing":
            # Between the beginning and now somebody has written one.
            self.left |= dict.fromkeys(untouched, CHANGED)
        else:
            self.same += len(untouched)

    def _composed(self, picture: Path, wanted: Wanted, text: str) -> str | None:
        """What is to stand in the file; "" when somebody else has changed it, None when it is there
        from an earlier attempt. Raises CaptionError."""
        now = caption_digest(picture)
        if now is not None and self._ours.get(picture) == now:
            return None
        if self._task.mode == "missing":
            return with_prefix(text, wanted.prefix)
        if now != self._begun.before.get(str(picture)):
            return ""
        old = current_caption(picture, lines=self._task.lines) or wanted.caption
        return composed(old, text, wanted.prefix, self._task)

    def _written_before(self) -> dict[Path, str]:
        """What earlier attempts, which may have been killed, have made of files."""
        found: dict[Path, str] = {}
        for change in reversed(self._files.changes()):
            if change.title == self._begun.title:
                try:
                    found |= self._files.digests(change)
                except WizardError:
                    continue
        return found


def composed(old: str, text: str, prefix: str, task: CaptionTask) -> str:
    """What is to stand where ``old`` stands. What ends with ``text`` is not added to again."""
    text_alone = with_prefix(text, prefix)
    if task.mode != "append" or old in ("", text, text_alone):
        return text_alone
    between = "\n" if task.lines else ", "
    # As a whole: "red hat" does not end with what says "hat".
    return with_prefix(old if old.endswith(between + text) else f"{old}{between}{text}", prefix)


def with_prefix(text: str, prefix: str) -> str:
    """``text`` behind ``prefix``, unless it begins with it, whatever the case."""
    words = tuple(split_tags(prefix, ",")) or (prefix.strip(),)
    if not prefix or (words != ("",) and begins_with(text, words, ",")):
        return text
    return prefix + text
