"""SHA-256 of the pictures' bytes, remembered outside the dataset. No torch."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from ..errors import WizardError
from ..files import sha256_of, write_text

_SETTLED_SECONDS = 2.0


class Fingerprints:
    """What each picture's bytes are, read again only when its path, size or times have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, path: Path) -> str:
        """SHA-256 in hexadecimal. Raises WizardError when the picture cannot be read."""
        try:
            before = path.stat()
            remembered = self._recall(path, before)
            if remembered:
                return remembered
            digest = sha256_of(path)
            if _stamp(path, before) == _stamp(path, path.stat()) and _settled(before):
                write_text(self._entry(path, before), digest, durable=False)
        except OSError as error:
            raise WizardError(
                "A picture cannot be read",
                f"{path}: {error.strerror or error}",
                "Put it back or name it in dataset.exclude.",
            ) from error
        return digest

    def _entry(self, path: Path, status: os.stat_result) -> Path:
        name = hashlib.sha256(_stamp(path, status).encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / name

    def _recall(self, path: Path, status: os.stat_result) -> str:
        try:
            text = self._entry(path, status).read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return ""
        digits = set("0123456789abcdef")
        return text if len(text) == 64 and digits.issuperset(text) else ""


def _stamp(path: Path, status: os.stat_result) -> str:
    # The change time too: `touch -r` and careful editors put the modification time back.
    times = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return json.dumps([str(path.absolute()), *times])


def _settled(status: os.stat_result) -> bool:
    """Whether the last change is long enough ago that another one would show in the times: clocks
    of file systems tick in up to two seconds."""
    return time.time() - max(status.st_mtime, status.st_ctime) > _SETTLED_SECONDS
