"""What the screens cost, seen from a terminal's other end.

    python benchmarks/screens.py [--runs 7] [--seconds 5]

At a real pty of 120x40: the time to the first paint and the processor's part of it, beside
Textual's own hello world (in turn, so that a noisy moment hits both); from a key to its paint;
memory; bytes per second of each screen when nobody types, and of the monitor, in two sizes, while a
run makes five steps a second and draws pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import math
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lora_wizard.core.config import configfile
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.lock import RunLock
from lora_wizard.core.templates import filled, find
from lora_wizard.tui.walk.steps import STEPS
from PIL import Image
from terminals import PATIENCE, SIZE, Terminal

SIZES = ((80, 24), SIZE)
STEPS_PER_SECOND, TOTAL, PICTURES_EVERY = 5, 2000, 25
HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    def compose(self):
        yield Static("Hello, world")
Hello().run()
"""
WIZARD = (sys.executable, "-m", "lora_wizard.tui.cli")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="screens"))
    try:
        first_paint(home, arguments.runs)
        walk(home, arguments.runs, arguments.seconds)
        modals(home, arguments.seconds)
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
        say_idle("Home", terminal, seconds)
    with contextlib.closing(Terminal([*WIZARD, str(toml)], home)) as terminal:
        for step in STEPS:
            terminal.wait_until(lambda step=step: is_at(terminal, step.title), step.title)
            say_idle(step.title, terminal, seconds)
            if step.name == "output":
                say_keys(terminal, runs * 4)
            terminal.press("\x0e")
        terminal.press("\x1b")
        terminal.settle()
        say_memory("all steps", terminal)
        for _ in range(2):
            again(terminal)
        say_memory("all steps, three times", terminal)


def again(terminal: Terminal) -> None:
    """Back to the first step, and forward to the last."""
    for key, steps in (("\x1b", STEPS[-2::-1]), ("\x0e", STEPS[1:])):
        for step in steps:
            terminal.press(key)
            terminal.wait_until(lambda step=step: is_at(terminal, step.title), step.title)
            terminal.settle()


def is_at(terminal: Terminal, title: str) -> bool:
    return bool(re.search(rf"► +(\d+ +)?{re.escape(title)}", terminal.text))


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


def modals(home: Path, seconds: float) -> None:
    """What lies over a screen, and what a run has made: bytes when nobody types."""
    toml = demo_toml(home)
    with contextlib.closing(Terminal([*WIZARD, str(toml)], home)) as terminal:
        terminal.wait_until(lambda: "Dataset" in terminal.text, "Dataset")
        for name, key in (("help", "\x1bOP"), ("palette", "\x10"), ("save", "\x13")):
            terminal.settle()
            terminal.press(key)
            say_idle(f"Dataset with {name}", terminal, seconds)
            terminal.press("\x1b")
    with training(home) as run:
        pass
    run.update(outcome="finished", exit_code=0)
    with contextlib.closing(Terminal([*WIZARD, "attach", str(run.path)], home)) as terminal:
        terminal.wait_until(lambda: "Results" in terminal.text, "Results")
        say_idle("monitor of an ended run", terminal, seconds)
        terminal.press("\r")
        say_idle("Results", terminal, seconds)


def monitor(home: Path, seconds: float) -> None:
    """The monitor of a run that makes five steps a second and two pictures every five seconds."""
    for size in SIZES:
        for first in (0, TOTAL // 2):
            with training(home, first) as run:
                command = [*WIZARD, "attach", str(run.path), "--images", "half"]
                with contextlib.closing(Terminal(command, home, size)) as terminal:
                    terminal.wait_for("step")
                    terminal.bytes_in(3.0)
                    rate = terminal.bytes_in(seconds) / seconds / 1000
                    what = f"{size[0]}x{size[1]}, step {first}"
                    say(f"monitor, {what}", f"{rate:.1f} KB/s")
                    if first:
                        say_memory("monitor", terminal)


@contextlib.contextmanager
def training(home: Path, first: int = TOTAL // 2) -> Iterator[RunDirectory]:
    """A run that is alive as far as its files say: held, and with steps after ``first``."""
    config = configfile.load(demo_toml(home))
    run, ends = RunDirectory.create(config), threading.Event()
    run.update(outcome="running", attempts=1, pid=os.getpid())
    lock = RunLock.take(run.lock_path)
    lock.announce()
    begun = time.time() - first / STEPS_PER_SECOND
    chance, pictures = random.Random(7), some_pictures()

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
        if number % PICTURES_EVERY == 0:
            draw(number, when)

    def draw(number: int, when: float) -> None:
        for at, prompt in enumerate(("a cat on a beach", "a dog in the snow"), 1):
            path = run.samples_path / f"step{number:08d}-{at:02d}.png"
            path.write_bytes(pictures[(number // PICTURES_EVERY + at) % len(pictures)])
            emit(
                "sample", when, path=f"samples/{path.name}", step=number,
                epoch=number * 10 // TOTAL, prompt=prompt, seed=42,
            )  # fmt: skip

    def live() -> None:
        number = first
        while not ends.wait(1 / STEPS_PER_SECOND):
            number += 1
            step(number, time.time())

    emit("started", begun, what="train", version="1", attempt=1)
    emit("phase", begun, phase="train", total=TOTAL)
    for number in range(1, first + 1):
        step(number, begun + number / STEPS_PER_SECOND)
    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield run
    finally:
        ends.set()
        thread.join()
        lock.release()


@functools.cache
def some_pictures() -> list[bytes]:
    """PNG files, made before anything is measured: to draw takes the processor."""
    files = [io.BytesIO() for _ in range(8)]
    for at, file in enumerate(files):
        Image.effect_noise((512, 512), 40 + 8 * at).convert("RGB").save(file, "PNG")
    return [file.getvalue() for file in files]


def demo_toml(home: Path) -> Path:
    path = home / "demo.toml"
    path.write_text(filled(find("demo"), {"output.folder": str(home / "output")}))
    return path


def say_idle(what: str, terminal: Terminal, seconds: float) -> None:
    terminal.settle()
    say(f"idle, {what}", f"{terminal.bytes_in(seconds) / seconds:.0f} B/s")


def say_memory(what: str, terminal: Terminal) -> None:
    resident, proportional = terminal.megabytes()
    say(f"memory, {what}", f"{resident:.0f} MB resident", f"{proportional:.0f} MB proportional")


def say(what: str, *figures: str) -> None:
    print(f"{what:<28}" + "".join(f"{figure:>20}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
