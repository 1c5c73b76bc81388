"""Texts that would command a terminal, a program that shows them, and what of them reaches it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

import pyte

MARK = "zq"
"""Stands in every hostile text, so that it is seen whether the text was shown at all."""
TEXTS = (
    f"\x1b]52;c;{MARK}evil\x07",
    f"\x1b[31;5m{MARK}\x1b[2J",
    f"\x1bP{MARK}\x1b\\",
    f"\x9b31m{MARK}\x9d0;title\x9c",
    f"[red]{MARK}[/red][/b] [@click=app.quit]x[/]",
    f"\u202e{MARK}\u2066\u200b\u200f\ufeff",
    f"{MARK}\r\n\x08\x7f\x00\x0c",
    MARK + "x" * 5000,
)
ALL = " ".join(text.replace("\n", "").replace("\x00", "") for text in TEXTS[:-1])
NAMES = [text.replace("\x00", "").replace("/", "|")[:100] for text in TEXTS]
"""For files."""
_BIDI = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_OURS = re.compile(
    rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]"  # CSI, as the screen is drawn with
    rb"|\x1b[=>78]"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
    rb"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"  # what was copied on demand, in base64
)
_THEIRS = (b"\x1b]52;c;zq", b"\x1b]0;", b"\x1b[31;5m", b"\x1bP", b"\x9b31m", b"\x1b\\", b"\x07")
_CONTROLS = re.compile("[\x80-\x9f\x00-\x07\x0b\x0c\x0e-\x1a\x7f]")
_ATTRIBUTES, _ANSWER = b"\x1b[c", b"\x1b[?62c"
_PROBED = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"


class Pty:
    """A program on a terminal of 120x40."""

    def __init__(self, arguments: list[str]) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            # Not with `execv`: readline tells the C library of another size behind our back.
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.output = b""

    @property
    def text(self) -> str:
        """What stands on the screen."""
        screen = pyte.Screen(120, 40)
        pyte.ByteStream(screen).feed(self.output.replace(_PROBED, b""))
        return "\n".join(line.rstrip() for line in screen.display)

    def wait_for(self, text: bytes, seconds: float = 20.0) -> None:
        """Read until ``text`` was written; fails when it never is."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.read(deadline - time.monotonic()), self.output[-2000:]

    def settle(self) -> None:
        """Read until nothing more is written."""
        while self.read(0.3):
            pass

    def press(self, *keys: bytes) -> None:
        """Type, and read what comes of each key."""
        for key in keys:
            os.write(self.master, key)
            self.settle()

    def read(self, seconds: float) -> bool:
        """Read what comes within a time; False when nothing does."""
        if seconds <= 0 or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            block = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.output += block
        if _ATTRIBUTES in block:
            os.write(self.master, _ANSWER)
        return bool(block)

    def close(self) -> None:
        """End it, whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


def assert_harmless(output: bytes) -> None:
    """Fails when anything hostile reached the terminal as it is, or nothing of it at all."""
    assert MARK.encode() in output
    rest = _OURS.sub(b"", output.replace(_PROBED, b""))
    for raw in _THEIRS:
        at = rest.find(raw)
        assert at < 0, rest[max(0, at - 200) : at + 200]
    assert not [raw for raw in _THEIRS if len(raw) > 3 and raw in output]
    assert b"\x1b" not in rest
    text = rest.decode("utf-8", "strict")
    assert not _BIDI.search(text)
    assert not _CONTROLS.search(text)
    assert b"Traceback" not in output
    assert b"made a mistake" not in output
