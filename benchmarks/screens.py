"""What the screens cost, seen from a terminal's other end.

    python benchmarks/screens.py [--runs 7] [--seconds 5]

At a real pty of 120x40: the time to the first paint and the processor's part of it, beside
Textual's own hello world (in turn, so that a noisy moment hits both); from a key to its paint;
memory; bytes per second of each screen when nobody types, and of the monitor while a run makes five
steps a second.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import math
import os
import pty
import random
import re
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyte
from lora_wizard.core.config import configfile
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.lock import RunLock
from lora_wizard.core.templates import filled, find
from lora_wizard.tui.walk.steps import STEPS

SIZE = (120, 40)
PATIENCE = 60.0
QUIET = 0.6
"""Seconds without a byte after which a screen has settled."""
STEPS_PER_SECOND, TOTAL = 5, 2000
HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("Hello, world")
Hello().run()
"""
WIZARD = (sys.executable, "-m", "lora_wizard.tui.cli")
_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$ ]*[A-Za-z]|\x1b\][^\x07]*(\x07|\x1b\\)|\x1b[()=>].?")
_ASKS_WHAT_IT_IS, _ANSWER = b"\x1b[c", b"\x1b[?62;22c"


class Terminal:
    """A process at a pty that answers as a terminal does, and counts."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
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
        screen = pyte.Screen(*SIZE)
        # Private modes and replies that pyte does not know would be shown as text.
        pyte.ByteStream(screen).feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", self.written))
        return "\n".join(line.rstrip() for line in screen.display)

    def processor_seconds(self) -> float:
        """How long the process had the processor, all its threads together."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def megabytes(self) -> tuple[float, float]:
        """(resident, proportional) memory of the process."""
        rollup = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        found = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", rollup, re.MULTILINE))
        return int(found["Rss"]) / 1000, int(found["Pss"]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="screens"))
    try:
        first_paint(home, arguments.runs)
        walk(home, arguments.runs, arguments.seconds)
        monitor(home, arguments.seconds * 4)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def first_paint(home: Path, runs: int) -> None:
    commands = {
        "hello world": ([sys.executable, "-c", HELLO], "Hello, world"),
        "lora-wizard": (list(WIZARD), "from a folder of pictures to a LoRA"),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    work: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, (command, text) in commands.items():
            with contextlib.closing(Terminal(command, home)) as terminal:
                times[name].append(terminal.wait_for(text) * 1000)
                work[name].append(terminal.processor_seconds() * 1000)
    # The first of each warms the system's cache.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    worked = {name: statistics.median(values[1:]) for name, values in work.items()}
    for name, median in medians.items():
        ratios = median / medians["hello world"], worked[name] / worked["hello world"]
        figures = f"{median:.0f} ms", f"{ratios[0]:.2f} x"
        say(
            f"first paint, {name}",
            *figures,
            f"processor {worked[name]:.0f} ms",
            f"{ratios[1]:.2f} x",
        )


def walk(home: Path, runs: int, seconds: float) -> None:
    """Every step of a draft of the demo: bytes when nobody types, then keys in a form."""
    toml = demo_toml(home)
    with contextlib.closing(Terminal(WIZARD, home)) as terminal:
        terminal.wait_for("from a folder of pictures to a LoRA")
        terminal.settle()
        say_memory("Home", terminal)
        say("idle, Home", f"{terminal.bytes_in(seconds) / seconds:.0f} B/s")
    with contextlib.closing(Terminal([*WIZARD, str(toml)], home)) as terminal:
        for step in STEPS:
            here = re.compile(rf"► +(\d+ +)?{re.escape(step.title)}")
            terminal.wait_until(lambda here=here: bool(here.search(terminal.text)), step.title)
            terminal.settle()
            say(f"idle, {step.title}", f"{terminal.bytes_in(seconds) / seconds:.0f} B/s")
            if step.name == "output":
                say_keys(terminal, runs * 4)
            terminal.press("\x0e")
        say_memory("all steps", terminal)


def say_keys(terminal: Terminal, count: int) -> None:
    """From a key typed into a field to the first byte of its paint."""
    times: list[float] = []
    work: list[float] = []
    for number in range(count):
        terminal.settle()
        before, worked = time.perf_counter(), terminal.processor_seconds()
        terminal.press("abcdefgh"[number % 8])
        while not terminal.read(PATIENCE):
            pass
        times.append((time.perf_counter() - before) * 1000)
        work.append((terminal.processor_seconds() - worked) * 1000)
    worst = sorted(times)[int(count * 0.95)]
    processor = f"processor {statistics.median(work):.1f} ms"
    say("key to paint", f"{statistics.median(times):.1f} ms", f"95 %: {worst:.1f} ms", processor)


def monitor(home: Path, seconds: float) -> None:
    """The monitor of a run that makes five steps a second."""
    with training(home) as run:
        command = [*WIZARD, "attach", str(run.path)]
        with contextlib.closing(Terminal(command, home)) as terminal:
            terminal.wait_for("step")
            terminal.bytes_in(3.0)
            rate = terminal.bytes_in(seconds) / seconds / 1000
            say("running, monitor", f"{rate:.1f} KB/s")
            say_memory("monitor", terminal)


@contextlib.contextmanager
def training(home: Path) -> Iterator[RunDirectory]:
    """A run that is alive as far as its files say: held, and with a step five times a second."""
    config = configfile.load(demo_toml(home))
    run, ends = RunDirectory.create(config), threading.Event()
    run.update(outcome="running", attempts=1, pid=os.getpid())
    lock = RunLock.take(run.lock_path)
    lock.announce()
    begun = time.time() - TOTAL / 2 / STEPS_PER_SECOND
    chance = random.Random(7)

    def emit(kind: str, when: float, **fields: object) -> None:
        with run.events_path.open("a") as file:
            file.write(json.dumps({"kind": kind, "time": when, **fields}) + "\n")

    def step(number: int, when: float) -> None:
        loss = 0.12 + 0.2 * math.exp(-number / 250) + chance.gauss(0, 0.03)
        rates = {"unet": 1e-4, "text_encoder": 5e-5}
        emit(
            "step", when, step=number, total=TOTAL, epoch=number * 10 // TOTAL + 1, epochs=10,
            loss=loss, learning_rates=rates, memory=6 * 2**30,
        )  # fmt: skip

    def live() -> None:
        number = TOTAL // 2
        while not ends.wait(1 / STEPS_PER_SECOND):
            number += 1
            step(number, time.time())

    emit("started", begun, what="train", version="1", attempt=1)
    emit("phase", begun, phase="train", total=TOTAL)
    for number in range(1, TOTAL // 2 + 1):
        step(number, begun + number / STEPS_PER_SECOND)
    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield run
    finally:
        ends.set()
        thread.join()
        lock.release()


def demo_toml(home: Path) -> Path:
    path = home / "demo.toml"
    path.write_text(filled(find("demo"), {"output.folder": str(home / "output")}))
    return path


def say_memory(what: str, terminal: Terminal) -> None:
    resident, proportional = terminal.megabytes()
    say(f"memory, {what}", f"{resident:.0f} MB resident", f"{proportional:.0f} MB proportional")


def say(what: str, *figures: str) -> None:
    print(f"{what:<28}" + "".join(f"{figure:>20}" for figure in figures), flush=True)


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


if __name__ == "__main__":
    main()
