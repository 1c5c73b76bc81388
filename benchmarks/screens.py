"""What the screens cost, seen from a terminal's other end.

    python benchmarks/screens.py [--runs 7] [--seconds 5]

At a real pty of 120x40: the time to the first paint and the processor's part of it, beside
Textual's own hello world (in turn, so that a noisy moment hits both); what opening each step takes,
for the first time and again; from a key to its paint; memory; bytes per second of each screen when
nobody types, and of the monitor, in two sizes, while a run makes five steps a second and draws
pictures. Takes about three minutes with `--runs 3 --seconds 1`.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from live_run import PICTURES_EVERY, STEPS_PER_SECOND, TOTAL, demo_toml, training
from lora_wizard.tui.walk.steps import STEPS
from terminals import PATIENCE, SIZE, Terminal

MONITORS = (
    ((80, 24), 0, ""),
    ((80, 24), TOTAL // 2, ""),
    ((80, 24), TOTAL // 2, "2"),
    (SIZE, 0, ""),
    (SIZE, TOTAL // 2, ""),
)
"""Size, steps already made, and the key of the pane that is looked at."""
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
    """Every step of a draft of the demo: what opening it takes, bytes when nobody types, keys in a
    form, and what has gathered at the end."""
    toml = demo_toml(home)
    with contextlib.closing(Terminal(WIZARD, home)) as terminal:
        terminal.wait_for("from a folder of pictures to a LoRA")
        terminal.settle()
        say_memory("Home", terminal)
        say_idle("Home", terminal, seconds)
    with contextlib.closing(Terminal([*WIZARD, str(toml)], home)) as terminal:
        for step in STEPS:
            with opening(terminal, "" if step is STEPS[0] else step.title, "first"):
                terminal.wait_until(lambda step=step: is_at(terminal, step.title), step.title)
            say_idle(step.title, terminal, seconds)
            if step.name == "output":
                say_keys(terminal, runs * 4)
            if step is not STEPS[-1]:
                terminal.press("\x0e")
        say_memory("all steps", terminal)
        for number in range(2):
            again(terminal, says=not number)
        say_memory("all steps, three times", terminal)


def again(terminal: Terminal, *, says: bool) -> None:
    """Back to the first step, and forward to the last."""
    for key, steps in (("\x1b", STEPS[-2::-1]), ("\x0e", STEPS[1:])):
        for step in steps:
            with opening(terminal, step.title if says and key == "\x0e" else "", "again"):
                terminal.press(key)
                terminal.wait_until(lambda step=step: is_at(terminal, step.title), step.title)


@contextlib.contextmanager
def opening(terminal: Terminal, title: str, which: str) -> Iterator[None]:
    """Measures, where there is a title, what the processor has to do until nothing more comes."""
    before = terminal.processor_seconds()
    yield
    terminal.settle()
    if title:
        work = (terminal.processor_seconds() - before) * 1000
        say(f"opening {title}, {which}", f"processor {work:.0f} ms")


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
        with opening(terminal, "Results", "first"):
            terminal.press("\r")
            terminal.wait_until(lambda: "Best one" in terminal.text, "Best one")
        say_idle("Results", terminal, seconds)
        say_memory("Results", terminal)


def monitor(home: Path, seconds: float) -> None:
    """The monitor of a run that makes five steps a second and two pictures every five seconds."""
    seconds = max(seconds, 2 * PICTURES_EVERY / STEPS_PER_SECOND)
    for size, first, pane in MONITORS:
        with training(home, first) as run:
            command = [*WIZARD, "attach", str(run.path), "--images", "half"]
            with contextlib.closing(Terminal(command, home, size)) as terminal:
                terminal.wait_for("step")
                terminal.press(pane)
                terminal.bytes_in(3.0)
                before = terminal.processor_seconds()
                rate = terminal.bytes_in(seconds) / seconds / 1000
                work = (terminal.processor_seconds() - before) / seconds
                what = f"{size[0]}x{size[1]}, step {first}{', pictures' if pane else ''}"
                say(f"monitor, {what}", f"{rate:.1f} KB/s", f"processor {work:.0%}")
                if "samples/" in terminal.text:
                    shown = re.findall(r"samples/step0*(\d+)", terminal.text)
                    assert int(shown[-1]) > first, f"no picture has arrived:\n{terminal.text}"
                if first:
                    say_memory("monitor", terminal)


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
