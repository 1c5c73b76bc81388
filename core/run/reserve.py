"""A little room on the disk, kept for what has to be said when there is no other left."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..files import WriteError, write_bytes

_BYTES = 1 << 16


class Reserve:
    """A file that gives way to a run's words."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Take the room, if there is any."""
        with contextlib.suppress(WriteError):
            # Random, so that no file system compresses it away.
            write_bytes(self._path, os.urandom(_BYTES), durable=False)

    def give(self) -> None:
        """Leave it to others."""
        with contextlib.suppress(OSError):
            self._path.unlink()
