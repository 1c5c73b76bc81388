"""What a model has said of pictures, one line each, kept whatever ends the process.

A picture is known again by its content, or, without reading it, by its path, size and time. What
the same model says with other options is another answer. The file is only ever appended to; a line
that a crash or a full disk has torn is passed over.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

from ...core.dataset.folders import FileEntry, open_regular
from ...core.files import WriteError

_BLOCK = 1 << 20


class Results:
    """The answers of one model with one set of options, in a file that other sets share."""

    def __init__(self, path: Path, settings: str) -> None:
        """``settings`` names model and options. Raises WriteError."""
        self._path = path
        self._settings = settings
        # Texts stay in the file: of 100,000 pictures only their places are remembered.
        self._places: dict[bytes, int] = {}
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags, 0o666)
            self._size = os.fstat(self._descriptor).st_size
            self._load()
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

    def _load(self) -> None:
        with open(self._descriptor, "rb", closefd=False) as lines:
            lines.seek(0)
            place = 0
            for line in lines:
                known = _keys(line, self._settings)
                self._places.update(dict.fromkeys(known, place))
                place += len(line)


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
    seen = os.fsencode(file.path) + f"\0{file.size}\0{file.modified_ns}".encode()
    return hashlib.blake2b(seen, digest_size=16).digest()


def _keys(line: bytes, settings: str) -> tuple[bytes, ...]:
    """By what the answer in ``line`` is found; by nothing if it is another's, or torn."""
    if not line.endswith(b"\n"):
        return ()
    try:
        answer = json.loads(line)
        if answer["settings"] != settings or not isinstance(answer["text"], str):
            return ()
        return bytes.fromhex(answer["content"]), bytes.fromhex(answer["file"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()


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
