"""The end of a log that grows, line by line and safe to show."""

from __future__ import annotations

import os
from pathlib import Path

from ..core.text import printable

_BLOCK = 1 << 16


def last_lines_offset(path: Path, lines: int) -> int:
    """Where the last ``lines`` lines of a file begin; reads no more of it than that."""
    try:
        with path.open("rb") as file:
            position = end = file.seek(0, os.SEEK_END)
            missing = lines
            while position > 0:
                start = max(0, position - _BLOCK)
                file.seek(start)
                block = file.read(position - start)
                # The newline at the very end closes the last line, it begins none.
                stop = len(block) - 1 if position == end else len(block)
                while missing and (stop := block.rfind(b"\n", 0, stop)) >= 0:
                    missing -= 1
                if not missing:
                    return start + stop + 1 if lines else end
                position = start
    except OSError:
        # From the beginning: printing from there is what names a log that cannot be read.
        return 0
    return 0


def shown(line: bytes) -> str:
    """A line of the log as a terminal may have it; of a progress bar its last state."""
    text = line.decode("utf-8", "backslashreplace").rstrip("\n").rstrip("\r")
    return printable(text.rpartition("\r")[2].expandtabs())


class LogTail:
    """The last lines of a log, and then what is added to it."""

    def __init__(self, path: Path, most_lines: int) -> None:
        """A portion has at most ``most_lines`` lines; of a flood the last ones."""
        self._path, self._most = path, most_lines
        self._offset: int | None = None

    def read(self) -> list[str]:
        """The whole lines that were added since the last call; none while it cannot be read."""
        if self._offset is None:
            self._offset = last_lines_offset(self._path, self._most)
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size <= self._offset:
                    self._offset = min(self._offset, size)
                    return []
                # Four hundred bytes a line are more than a screen shows.
                start = max(self._offset, size - self._most * 400)
                file.seek(start)
                data = file.read(size - start)
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) < self._most * 400:
            return []
        self._offset = start + (whole or len(data))
        lines = data[: whole or len(data)].removesuffix(b"\n").split(b"\n")
        return [shown(line) for line in lines[-self._most :]]
