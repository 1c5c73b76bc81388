"""Caption files written beside pictures, with all that was there before kept.

The only files of a dataset that are ever written. Before any of them is, what each held goes into
a journal outside the dataset, so that one edit, or a change to thousands of files, can be undone,
also after a crash in its middle.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..config.paths import templates_folder
from ..errors import WizardError
from ..files import WriteError, write_bytes, write_json
from ..places import state_folder
from .captions import EXTENSIONS, SIZE_LIMIT, CaptionError, read_caption
from .folders import open_regular
from .images import Progress
from .wildcards import lines_of

Mode = Literal["missing", "overwrite", "append"]
"""What happens to a picture that has a caption: it is kept, replaced, or added to. An empty file
counts as none."""
_MOST_CHANGES = 500


@dataclass(frozen=True)
class Change:
    """One change, of one caption file or of many, that can be undone."""

    journal: Path
    title: str
    files: int


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
    return None if data is None else _digest(data)


class CaptionFiles:
    """The caption files below ``root``, which names their journal and is not looked into. With
    ``lines``, captions may have several, which are kept."""

    def __init__(self, root: Path, *, lines: bool = False) -> None:
        self._lines = lines
        name = hashlib.blake2b(os.fsencode(os.path.realpath(root)), digest_size=16).hexdigest()
        self.journal = state_folder() / "captions" / name

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
        planned: list[_Planned] = []
        left: dict[Path, str] = {}
        for picture, text in captions.items():
            try:
                plan = _plan(picture, text, mode, separator, self._lines)
            except CaptionError as error:
                left[picture] = str(error)
                continue
            if plan and (plan.text != plan.was or (with_empty and plan.old is None)):
                planned.append(plan)
        if not planned:
            return Outcome({}, left)
        change = self._begin(title, planned)
        written: dict[Path, str] = {}
        for done, plan in enumerate(planned, start=1):
            # Thousands take a while, and somebody may be at work on one of them.
            if _read(plan.file) == plan.old:
                write_bytes(plan.file, plan.data)
                written[plan.picture] = plan.text
            else:
                left[plan.picture] = "its caption was changed meanwhile"
            if progress:
                progress(done, len(planned))
        return Outcome(written, left, change)

    def changes(self) -> list[Change]:
        """What can be undone, the latest first."""
        found: list[Change] = []
        for path in self._journals():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                document = json.loads(path.read_bytes())
                found.append(Change(path, str(document["title"]), len(document["files"])))
        return found

    def digests(self, change: Change) -> dict[Path, str]:
        """By picture, what ``change`` has made of its file, as a SHA-256. Raises WizardError when
        the journal is damaged."""
        return {entry.picture: entry.new for entry in _entries(change.journal)}

    def undo(self, change: Change, progress: Progress | None = None) -> Outcome:
        """Bring back what the files held before ``change``. A file that was changed since then is
        left as it is. Raises WriteError, and WizardError when the journal is damaged."""
        restored: dict[Path, str] = {}
        left: dict[Path, str] = {}
        entries = list(_entries(change.journal))
        for done, entry in enumerate(entries, start=1):
            now = _read(entry.file)
            if now != entry.old:
                if now is None or _digest(now) != entry.new:
                    left[entry.picture] = "it was changed again since"
                    continue
                _restore(entry)
            with contextlib.suppress(CaptionError):
                restored[entry.picture] = current_caption(entry.picture, lines=self._lines)
            if progress:
                progress(done, len(entries))
        with contextlib.suppress(OSError):
            change.journal.unlink()
        return Outcome(restored, left)

    def _begin(self, title: str, planned: list[_Planned]) -> Change:
        journal = self.journal / f"{time.time_ns():020}.json"
        files = [plan.entry() for plan in planned]
        write_json(journal, {"title": title, "files": files})
        for path in self._journals()[_MOST_CHANGES:]:
            with contextlib.suppress(OSError):
                path.unlink()
        return Change(journal, title, len(files))

    def _journals(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return sorted(self.journal.glob("*.json"), reverse=True)
        return []


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

    def entry(self) -> dict[str, str | None]:
        return {
            "picture": str(self.picture),
            "file": str(self.file),
            "old": None if self.old is None else base64.b64encode(self.old).decode(),
            "new": _digest(self.data),
        }


@dataclass(frozen=True)
class _Entry:
    picture: Path
    file: Path
    old: bytes | None
    new: str


def _plan(picture: Path, text: str, mode: Mode, separator: str, lines: bool) -> _Planned | None:
    """What to write, which may be there already; None when what is there is to be kept. Raises
    CaptionError."""
    file = caption_file(picture)
    if picture.is_relative_to(templates_folder()):
        raise CaptionError("comes along with lora-wizard, and is not changed")
    if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
        raise CaptionError(f"{file.name} is a link or no file, and is not replaced")
    old, now = _read(file), current_caption(picture, lines=lines)
    text = "\n".join(lines_of(text)) if lines else " ".join(text.splitlines()).strip()
    if now and mode == "missing":
        return None
    if now and mode == "append":
        text = f"{now}{separator}{text}" if text else now
    return _Planned(picture, file, old, now, text)


def _entries(journal: Path) -> Iterator[_Entry]:
    try:
        for item in json.loads(journal.read_bytes())["files"]:
            old = None if item["old"] is None else base64.b64decode(item["old"])
            yield _Entry(Path(item["picture"]), Path(item["file"]), old, item["new"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WizardError(
            "This change cannot be undone", f"{journal}: {error}", "Its captions stay as they are."
        ) from error


def _restore(entry: _Entry) -> None:
    if entry.old is not None:
        write_bytes(entry.file, entry.old)
        return
    try:
        entry.file.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(
            f"Cannot remove {entry.file.name}", f"{entry.file}: {error.strerror or error}", ""
        ) from error


def _read(file: Path) -> bytes | None:
    try:
        with open_regular(file) as opened:
            return opened.read(SIZE_LIMIT + 1)
    except OSError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _possible(picture: Path) -> list[Path]:
    stem = picture.name.rpartition(".")[0]
    return [picture.with_name(stem + ending) for ending in EXTENSIONS]
