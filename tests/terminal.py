"""A real terminal for tests: a pty with a process of its own, and the screen it would show."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

PATIENCE = 90.0
WIZARD = (sys.executable, "-m", "lora_wizard.tui.cli")


class Terminal:
    """Runs ``command`` with the pty as its terminal; what it writes is read in `wait_for`.

    ``controlling=False``: the pty is no one's controlling terminal, so that its end sends no
    signal. ``ignore_hangup`` as `nohup` does.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (80, 24),
        controlling: bool = True,
        ignore_hangup: bool = False,
    ) -> None:
        width, height = size
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self.processor_seconds = 0.0
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:
            _become(command, master, slave, environment, controlling, ignore_hangup)
        os.close(slave)
        self._master = master

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def wait_for(self, condition: str | Callable[[], object]) -> None:
        """Read what the process writes until its screen shows a text, or a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not (condition in self.text if isinstance(condition, str) else condition()):
            assert time.monotonic() < deadline, f"no {condition!r}:\n{self.text}"
            self._read(0.05)

    def wait_for_quiet(self, seconds: float = 0.1) -> None:
        """Read until nothing more has come for so long."""
        while self._read(seconds):
            pass

    def read_to_the_end(self) -> int:
        """Read until the process has ended; returns its wait status."""
        status: list[int] = []

        def ended() -> bool:
            pid, code = os.waitpid(self.pid, os.WNOHANG)
            status.extend([code] if pid else [])
            return bool(pid)

        self.wait_for(ended)
        while self._read(0.0):
            pass
        return status[0]

    def close(self) -> None:
        """Hang up, as a dropped connection does."""
        os.close(self._master)
        self._master = -1

    def wait(self) -> int:
        """Wait for the end of the process without reading; returns its wait status, and keeps how
        long it had the processor."""
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.processor_seconds = used.ru_utime + used.ru_stime
                return status
            assert time.monotonic() < deadline, "it is still there"
            time.sleep(0.02)

    def kill(self) -> None:
        """End whatever is left; harmless when nothing is."""
        # It has ended by itself, or been waited for already.
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._master >= 0:
            self.close()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)


def _become(
    command: Sequence[str],
    master: int,
    slave: int,
    environment: Mapping[str, str] | None,
    controlling: bool,
    ignore_hangup: bool,
) -> None:
    """Turn the forked child into ``command``; never returns."""
    try:
        os.close(master)
        os.setsid()
        if controlling:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(slave, descriptor)
        if slave > 2:
            os.close(slave)
        if ignore_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        base = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        kept = {name: os.environ[name] for name in ("HOME", "PYTHONPATH") if name in os.environ}
        os.execvpe(command[0], list(command), {**base, **kept, **(environment or {})})
    finally:
        os._exit(127)
