"""A log line that cannot be written never stops training."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def append_line(path: Path, text: str) -> None:
    """Append ``text`` and a newline in one write; whatever goes wrong, nothing is raised."""
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o666)
        try:
            os.write(descriptor, text.encode("utf-8", "backslashreplace") + b"\n")
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def unbreakable_streams() -> Iterator[None]:
    """Standard output and error that swallow a full disk and a terminal that has gone: libraries
    print there, and a print must not raise in the middle of a step."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_wrapped(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _wrapped(stream: TextIO) -> TextIO:
    try:
        stream.flush()
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Unbreakable(descriptor)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )


class _Unbreakable(io.RawIOBase):
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, data)
        return memoryview(data).nbytes
