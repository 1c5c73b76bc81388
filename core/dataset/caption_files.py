"""Caption files written beside pictures, with all that was there before kept.

The only files of a dataset that are ever written. Before any of them is, what each held goes into
a journal outside the dataset (`caption_journal`), so that one edit, or a change to thousands of
files, can be undone, also after a crash in its middle.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..config.paths import templates_folder
from ..file_batch import Replacement, replace_files
from .caption_journal import Change, Journal, Kept, digest_of, read_change
from .captions import EXTENSIONS, SIZE_LIMIT, CaptionError, caption_in, read_caption
from .folders import open_regular
from .images import Progress
from .wildcards import lines_of

Mode = Literal["missing", "overwrite", "append"]
"""What happens to a picture that has a caption: it is kept, replaced, or added to. An empty file
counts as none."""


@dataclass(frozen=True)
class Outcome:
    """What was done. ``written`` and ``left`` are pictures; those left have their reasons."""

    written: Mapping[Path, str]
    """Picture -> its caption now; "" where the file is gone again."""
    left: Mapping[Path, str] = field(default_factory=dict)
    change: Change | None = None
    """None when nothing had to be written."""


def caption_file(picture: Path) -> Path:
    """Where the caption of ``picture`` is, or would be: the file that is there keeps its
    extension, and ``.txt`` is first."""
    there = [path for path in _possible(picture) if os.path.lexists(path)]
    return there[0] if there else _possible(picture)[0]


def current_caption(picture: Path, *, lines: bool = False) -> str:
    """The caption as it stands in the file now, on one line or with its own ``lines``; "" without
    one. Raises CaptionError when the file cannot be read."""
    path = caption_file(picture)
    try:
        path.stat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise CaptionError(f"cannot be read: {error.strerror or error}") from error
    return read_caption(path, lines=lines).text


def caption_digest(picture: Path) -> str | None:
    """What the caption file of ``picture`` holds now, as a SHA-256; None without one."""
    data = _read(caption_file(picture))
    return None if data is None else digest_of(data)


class CaptionFiles:
    """The caption files below ``root``, which names their journal and is not looked into. With
    ``lines``, captions may have several, which are kept."""

    def __init__(self, root: Path, *, lines: bool = False) -> None:
        self._lines = lines
        self.journal = Journal(root)

    def write(
        self,
        captions: Mapping[Path, str],
        title: str,
        *,
        mode: Mode = "overwrite",
        separator: str = ", ",
        with_empty: bool = False,
        progress: Progress | None = None,
    ) -> Outcome:
        """Write ``captions`` (by picture) in UTF-8. A file that would say the same is not touched.
        An empty caption gets a file where there is none only ``with_empty``: one that comes from a
        table of many is emptied by it.

        Raises WriteError when the journal or a caption file cannot be written; what was written
        until then can be undone. What ``progress`` raises ends it likewise.
        """
        self.tidy()
        planned: list[_Planned] = []
        left: dict[Path, str] = {}
        ours = templates_folder()
        for picture, text in captions.items():
            try:
                if picture.is_relative_to(ours):
                    raise CaptionError("comes along with lora-wizard, and is not changed")
                plan = _plan(picture, text, mode, separator, self._lines)
            except CaptionError as error:
                left[picture] = str(error)
                continue
            if plan:
                planned.append(plan)
        # One that is to stay as it is has its say, too, before another of its file is written.
        planned, same = _one_for_each_file(planned, left)
        planned = [
            plan for plan in planned if plan.text != plan.was or (with_empty and plan.old is None)
        ]
        if not planned:
            return Outcome({}, left)
        change = self.journal.begin(title, [plan.kept for plan in planned])
        written: dict[Path, str] = {}

        def after(place: int, done: bool) -> None:
            plan = planned[place]
            for picture in (plan.picture, *same.get(plan.file, ())):
                if done:
                    written[picture] = plan.text
                else:
                    left[picture] = "its caption was changed meanwhile"

        self._replace(
            change,
            [Replacement(plan.file, plan.data) for plan in planned],
            # Thousands take a while, and somebody may be at work on one of them.
            lambda place: _read(planned[place].file) == planned[place].old,
            after,
            progress,
        )
        return Outcome(written, left, change)

    def changes(self) -> list[Change]:
        """What can be undone, the latest first."""
        return self.journal.changes()

    def digests(self, change: Change) -> dict[Path, str]:
        """By picture, what ``change`` has made of its file, as a SHA-256. Raises WizardError when
        the journal is damaged."""
        return {kept.picture: kept.new for kept in read_change(change)}

    def undo(self, change: Change, progress: Progress | None = None) -> Outcome:
        """Bring back what the files held before ``change``. A file that was changed since then is
        left as it is; where a later change did that, this one can be undone again after that
        one. Raises WriteError, and WizardError when the journal is damaged."""
        self.tidy()
        restored: dict[Path, str] = {}
        left: dict[Path, str] = {}
        ours: list[Kept] = []
        for kept in read_change(change):
            if _is_of_change(kept):
                ours.append(kept)
            elif _read(kept.file) == kept.old:
                restored[kept.picture] = self._text(kept)
            else:
                left[kept.picture] = _CHANGED_SINCE

        def after(place: int, done: bool) -> None:
            kept = ours[place]
            if done:
                restored[kept.picture] = self._text(kept)
            else:
                left[kept.picture] = _CHANGED_SINCE

        self._replace(
            change,
            [Replacement(kept.file, kept.old) for kept in ours],
            lambda place: _is_of_change(ours[place]),
            after,
            progress,
        )
        newest = self.journal.changes()[:1]
        if not left or newest == [change]:
            self.journal.forget(change)
        return Outcome(restored, left)

    def tidy(self) -> None:
        """Remove what processes that were killed have left beside the pictures, unless somebody
        is writing captions."""
        self.journal.tidy()

    def _replace(
        self,
        change: Change,
        wanted: list[Replacement],
        is_due: Callable[[int], bool],
        after: Callable[[int, bool], object],
        progress: Progress | None,
    ) -> None:
        def told(place: int, done: bool) -> None:
            after(place, done)
            if progress:
                progress(place + 1, len(wanted))

        with self.journal.writing(change) as token:
            replace_files(wanted, token, is_due=is_due, after=told)

    def _text(self, kept: Kept) -> str:
        """The caption that a file held before; "" where there was none, or none that is read."""
        try:
            data = kept.old or b""
            return caption_in(data, len(data), kept.file, lines=self._lines).text
        except CaptionError:
            return ""


_CHANGED_SINCE = "it was changed again since"


@dataclass(frozen=True)
class _Planned:
    picture: Path
    file: Path
    old: bytes | None
    was: str
    text: str

    @property
    def data(self) -> bytes:
        # What a file name or an old file may bring and UTF-8 has not.
        return f"{self.text}\n".encode("utf-8", "replace")

    @property
    def kept(self) -> Kept:
        return Kept(self.picture, self.file, self.old, digest_of(self.data))


def _plan(picture: Path, text: str, mode: Mode, separator: str, lines: bool) -> _Planned | None:
    """What to write, which may be there already; None when what is there is to be kept. Raises
    CaptionError."""
    file = caption_file(picture)
    old = _old(file)
    now = "" if old is None else caption_in(old, len(old), file, lines=lines).text
    text = "\n".join(lines_of(text)) if lines else " ".join(text.splitlines()).strip()
    if now and mode == "missing":
        return None
    if now and mode == "append":
        text = f"{now}{separator}{text}" if text else now
    plan = _Planned(picture, file, old, now, text)
    if len(plan.data) > SIZE_LIMIT:
        raise CaptionError(f"would have {len(plan.data) / 1e6:.1f} MB: too long for a caption")
    return plan


def _old(file: Path) -> bytes | None:
    """What a file holds, if it is there. Raises CaptionError where it cannot be replaced."""
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CaptionError(f"cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(mode):
        raise CaptionError(f"{file.name} is a link or no file, and is not replaced")
    old = _read(file)
    if old is None:
        raise CaptionError(f"{file.name} cannot be read")
    return old


def _one_for_each_file(
    planned: list[_Planned], left: dict[Path, str]
) -> tuple[list[_Planned], dict[Path, list[Path]]]:
    """Of pictures that share a caption file, a.jpg and a.png, the first one's; and by file those
    of whom the same is to be said."""
    first: dict[Path, _Planned] = {}
    same: dict[Path, list[Path]] = {}
    for plan in planned:
        kept = first.setdefault(plan.file, plan)
        if kept is not plan and kept.text == plan.text:
            same.setdefault(plan.file, []).append(plan.picture)
        elif kept is not plan:
            left[plan.picture] = f"{kept.picture.name} has the same caption file"
    return list(first.values()), same


def _is_of_change(kept: Kept) -> bool:
    """Whether a file holds what its change has made of it."""
    now = _read(kept.file)
    return now is not None and now != kept.old and digest_of(now) == kept.new


def _read(file: Path) -> bytes | None:
    try:
        with open_regular(file) as opened:
            return opened.read(SIZE_LIMIT + 1)
    except OSError:
        return None


def _possible(picture: Path) -> list[Path]:
    stem = picture.name.rpartition(".")[0]
    return [picture.with_name(stem + ending) for ending in EXTENSIONS]
