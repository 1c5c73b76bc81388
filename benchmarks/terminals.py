"""A process at a pty of its own, seen from the other end: bytes, time, memory."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte

SIZE = (120, 40)
PATIENCE = 60.0
QUIET = 0.6
"""Seconds without a byte after which a screen has settled."""
_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$ ]*[A-Za-z]|\x1b\][^\x07]*(\x07|\x1b\\)|\x1b[()=>].?")
_ASKS_WHAT_IT_IS, _ANSWER = b"\x1b[c", b"\x1b[?62;22c"


class Terminal:
    """A process at a pty that answers as a terminal does, and counts."""

    def __init__(self, command: Sequence[str], home: Path, size: tuple[int, int] = SIZE) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home,
            env=_environment(home),
            start_new_session=True,
        )
        os.close(slave)
        self._master = master
        self.written = b""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._shown = 0

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read(self, seconds: float) -> int:
        """Take what comes within ``seconds``; returns after the first bytes, with their number."""
        if not select.select([self._master], [], [], seconds)[0]:
            return 0
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            sys.exit(f"it ended by itself:\n{_ESCAPES.sub(b'', self.written)[-3000:].decode()}")
        if _ASKS_WHAT_IT_IS in data:
            os.write(self._master, _ANSWER)
        self.written += data
        return len(data)

    def wait_for(self, text: str) -> float:
        """Read until ``text`` was written; returns the seconds since the start."""
        return self.wait_until(lambda: text.encode() in _ESCAPES.sub(b"", self.written), text)

    def wait_until(self, condition: Callable[[], bool], what: str) -> float:
        begun = time.perf_counter()
        while not condition():
            if time.perf_counter() - begun > PATIENCE:
                sys.exit(f"no {what!r} on the screen:\n{self.text}")
            self.read(0.05)
        return time.perf_counter() - self.started

    def settle(self) -> None:
        """Read until nothing more comes."""
        while self.read(QUIET):
            pass

    def bytes_in(self, seconds: float) -> int:
        """How many bytes come in so many seconds."""
        end, count = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            count += self.read(left)
        return count

    @property
    def text(self) -> str:
        """What stands on the screen."""
        new, cut = self.written[self._shown :], 0
        # An escape that is not here as a whole is left for the next look.
        if (begun := new.rfind(b"\x1b")) >= 0 and not _ESCAPES.match(new, begun):
            cut = len(new) - begun
        new = new[: len(new) - cut]
        self._shown += len(new)
        # Private modes and replies that pyte does not know would be shown as text.
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", new))
        return "\n".join(line.rstrip() for line in self._screen.display)

    def processor_seconds(self) -> float:
        """How long the process had the processor, all its threads together."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def megabytes(self) -> tuple[float, float]:
        """(resident, proportional) memory of the process."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        found = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", rollup, re.MULTILINE))
        return int(found["Rss"]) / 1000, int(found["Pss"]) / 1000


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
    }
