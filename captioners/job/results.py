"""What a model has said of pictures, one line each, kept whatever ends the process.

A picture is known again by its content, or, without reading it, by its path, size and time. What
the same model says with other options is another answer. A job appends to the file; a line that a
crash or a full disk has torn is passed over. Only at a start, when most lines have had their day,
is it written anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from pathlib import Path

from ...core.dataset.folders import FileEntry, open_regular
from ...core.files import WriteError, write_bytes

_BLOCK = 1 << 20
_FEW = 1_000
"""Lines that are no trouble, whatever they say."""


class Results:
    """The answers of one model with one set of options, in a file that other sets share."""

    def __init__(self, path: Path, settings: str) -> None:
        """``settings`` names model and options. Raises WriteError."""
        self._path = path
        self._settings = settings
        # Texts stay in the file: of 100,000 pictures only their places are remembered.
        self._places: dict[bytes, int] = {}
        try:
            self._open()
            lasting, lines = self._load()
            if lines > 2 * len(lasting) + _FEW:
                # It can wait until there is room.
                with contextlib.suppress(WriteError):
                    self._rewrite(lasting)
            if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
                self._append(b"\n")
        except OSError as error:
            raise _not_kept(path, error) from error

    def has(self, *, file: FileEntry | None = None, content: str = "") -> bool:
        """Whether there is an answer for a picture, by its ``file`` or its ``content``."""
        return _key(file, content) in self._places

    def find(self, *, file: FileEntry | None = None, content: str = "") -> str | None:
        """The answer, likewise; None when there is none."""
        place = self._places.get(_key(file, content))
        if place is None:
            return None
        data = b""
        while b"\n" not in data[-_BLOCK:]:
            block = os.pread(self._descriptor, 4096, place + len(data))
            if not block:
                return None
            data += block
        return str(json.loads(data.partition(b"\n")[0])["text"])

    def add(self, file: FileEntry, content: str, text: str) -> None:
        """Keep an answer. Raises WriteError; what was kept before stays."""
        line = {
            "settings": self._settings,
            "content": content,
            "file": _key(file).hex(),
            "text": text,
        }
        place = self._size
        try:
            self._append(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
        except OSError as error:
            raise _not_kept(self._path, error) from error
        self._places[_key(file)] = self._places[_key(content=content)] = place

    def sync(self) -> None:
        """Make what was added survive a power cut. Raises WriteError."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _not_kept(self._path, error) from error

    def _append(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        if written < len(line):
            # What is torn now, the next start closes with a newline.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o666)
        self._size = os.fstat(self._descriptor).st_size

    def _load(self) -> tuple[dict[bytes, int], int]:
        """Where the last answer of each content is, for all settings; how many lines there are."""
        lasting: dict[bytes, int] = {}
        place = lines = 0
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(0)
            for line in file:
                if found := _read(line):
                    settings, content, seen = found
                    if settings == self._settings:
                        self._places[content] = self._places[seen] = place
                    lasting[_digest(settings.encode("utf-8", "replace") + content)] = place
                place += len(line)
                lines += 1
        return lasting, lines

    def _rewrite(self, lasting: dict[bytes, int]) -> None:
        """Leave out what a later line says again, of a picture that was touched or copied."""
        kept: list[bytes] = []
        with open(self._descriptor, "rb", closefd=False) as file:
            for place in sorted(lasting.values()):
                file.seek(place)
                kept.append(file.readline())
        write_bytes(self._path, b"".join(kept))
        os.close(self._descriptor)
        self._places.clear()
        self._open()
        self._load()


def content_of(path: Path) -> str:
    """A digest of a picture's bytes. Raises OSError."""
    digest = hashlib.blake2b(digest_size=16)
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _key(file: FileEntry | None = None, content: str = "") -> bytes:
    if file is None:
        return bytes.fromhex(content)
    return _digest(os.fsencode(file.path) + f"\0{file.size}\0{file.modified_ns}".encode())


def _read(line: bytes) -> tuple[str, bytes, bytes] | None:
    """An answer's settings, and by what it is found: content and file; None if it is torn."""
    if not line.endswith(b"\n"):
        return None
    try:
        answer = json.loads(line)
        settings, text = answer["settings"], answer["text"]
        found = bytes.fromhex(answer["content"]), bytes.fromhex(answer["file"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (settings, *found) if isinstance(settings, str) and isinstance(text, str) else None


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _not_kept(path: Path, error: OSError) -> WriteError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    where = "export XDG_STATE_HOME=/path/to/it"
    return WriteError(
        "The captions cannot be kept",
        f"{path}: {error.strerror or error}",
        f"The disk is full: free some space, or name another folder: {where}"
        if full
        else f"Look at the folder, or name another one: {where}",
        may_pass=True,
    )
