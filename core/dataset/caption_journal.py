"""What caption files held before they were changed, kept outside the dataset.

A change's journal is on the disk before the first of its files is touched, and tells for each what
it held and what it is to hold; so whatever ends the process, or the power, each file holds the one
or the other, and can be told from what somebody has written since. A second, empty file beside the
journal stands there while files are written: where it was left, temporaries may have been left too.

::

    00000001763758800123456789.jsonl          {"title": ..., "files": 2}
                                              {"picture": ..., "file": ..., "old": ..., "new": ...}
                                              ...
    00000001763758800123456789-1f0c9a.open
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import WizardError
from ..file_batch import temporary_of
from ..files import write_bytes, write_failed
from ..places import state_folder

_MOST_CHANGES = 500


@dataclass(frozen=True)
class Change:
    """One change, of one caption file or of many, that can be undone."""

    journal: Path
    title: str
    files: int


@dataclass(frozen=True)
class Kept:
    """One file of a change."""

    picture: Path
    file: Path
    old: bytes | None
    """What it held; None where there was none."""
    new: str
    """What it was to hold, as a SHA-256."""


class Journal:
    """All changes of the captions below ``root``, which names them and is not looked into."""

    def __init__(self, root: Path) -> None:
        name = hashlib.blake2b(os.fsencode(os.path.realpath(root)), digest_size=16).hexdigest()
        self.folder = state_folder() / "captions" / name

    def begin(self, title: str, files: Sequence[Kept]) -> Change:
        """Put a change on the disk; the oldest of too many is forgotten. Raises WriteError."""
        path = self.folder / f"{time.time_ns():020}.jsonl"
        head = {"title": title, "files": len(files)}
        lines = "".join(json.dumps(line) + "\n" for line in (head, *map(_line, files)))
        write_bytes(path, lines.encode("ascii"))
        for old in self._paths()[_MOST_CHANGES:]:
            with contextlib.suppress(OSError):
                old.unlink()
        return Change(path, title, len(files))

    def changes(self) -> list[Change]:
        """What can be undone, the latest first."""
        found: list[Change] = []
        for path in self._paths():
            with (
                contextlib.suppress(OSError, ValueError, KeyError, TypeError),
                path.open("rb") as f,
            ):
                head = json.loads(f.readline())
                found.append(Change(path, str(head["title"]), int(head["files"])))
        return found

    @contextlib.contextmanager
    def writing(self, change: Change) -> Iterator[str]:
        """While files of ``change`` are written: the token of their temporaries. Raises
        WriteError."""
        token = secrets.token_hex(6)
        mark = self.folder / f"{change.journal.stem}-{token}.open"
        try:
            lock = self._lock(fcntl.LOCK_SH)
        except OSError as error:
            raise write_failed(mark, error) from error
        try:
            _touch(mark)
            yield token
        finally:
            with contextlib.suppress(OSError):
                mark.unlink()
            os.close(lock)

    def tidy(self) -> None:
        """Remove the temporaries that killed processes have left beside pictures. Nothing is done
        while anybody is writing captions."""
        with contextlib.suppress(OSError):
            marks = list(self.folder.glob("*.open"))
            if not marks:
                return
            lock = self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                for mark in marks:
                    _tidy(mark)
            finally:
                os.close(lock)

    def forget(self, change: Change) -> None:
        """It cannot be undone any more."""
        with contextlib.suppress(OSError):
            change.journal.unlink()

    def _lock(self, how: int) -> int:
        """A descriptor that holds it until it is closed. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.folder / "writing", flags, 0o666)
        try:
            fcntl.flock(descriptor, how)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _paths(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return sorted(self.folder.glob("*.jsonl"), reverse=True)
        return []


def read_change(change: Change) -> Iterator[Kept]:
    """The files of a change, in their order. Raises WizardError when the journal is damaged."""
    try:
        with change.journal.open("rb") as lines:
            count = json.loads(lines.readline())["files"]
            for line in lines:
                item = json.loads(line)
                old = None if item["old"] is None else base64.b64decode(item["old"])
                yield Kept(Path(item["picture"]), Path(item["file"]), old, item["new"])
                count -= 1
        if count:
            raise ValueError("it is cut off")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WizardError(
            "This change cannot be undone",
            f"{change.journal}: {error}",
            "Its captions stay as they are.",
        ) from error


def digest_of(data: bytes) -> str:
    """As `Kept.new` has it."""
    return hashlib.sha256(data).hexdigest()


def _line(kept: Kept) -> dict[str, str | None]:
    return {
        "picture": str(kept.picture),
        "file": str(kept.file),
        "old": None if kept.old is None else base64.b64encode(kept.old).decode(),
        "new": kept.new,
    }


def _tidy(mark: Path) -> None:
    stem, _, token = mark.stem.partition("-")
    change = Change(mark.with_name(f"{stem}.jsonl"), "", 0)
    with contextlib.suppress(WizardError):
        for kept in read_change(change):
            with contextlib.suppress(OSError):
                temporary_of(kept.file, token).unlink(missing_ok=True)
    mark.unlink(missing_ok=True)


def _touch(mark: Path) -> None:
    try:
        mark.touch()
    except OSError as error:
        raise write_failed(mark, error) from error
