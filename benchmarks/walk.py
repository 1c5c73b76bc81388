"""A new user's walk over a slow connection: from the shell's prompt to the first training step.

    python benchmarks/walk.py [--round-trip 0.25] [--between-keys 0.25]

At a real terminal of 80x24, behind a relay that holds every byte back for half of the round trip,
in both directions. The keys are those of `tests/walker.py`, pressed one after the other at a
person's pace, each screen awaited; reading and thinking take no time here. Once with the base model
that comes along, once with a checkpoint in a single file whose path is typed. Afterwards the saved
TOML and the captions must hold what was typed, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import sys
import tempfile
import termios
import time
import tomllib
import tty
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import terminal as terminals
from checkpoints import checkpoint_of
from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from tiny_sd import build
from walker import SHELL, Walker, shell_environment

ANSWERS = {
    b"\x1b_Gi=31": b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[16t": b"\x1b[6;20;10t",
    b"\x1b[c": b"\x1b[?62;22c",
}
"""Of a terminal with kitty's pictures, its cells 10x20 pixels."""
ASK = """
import os, termios, tty
from lora_wizard.tui.terminal.probe import probe
found = probe("auto")
print("found", found.pictures, found.full, f"{found.cell_width}x{found.cell_height}", flush=True)
tty.setraw(0)
typed = os.read(0, 100)
print("typed", repr(typed.decode()), flush=True)
"""
RESULT = Path(__file__).resolve().with_name("results") / "walk.txt"
CAPTION = "zibbu creature on a green background"
_said: list[str] = []
_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|.", re.DOTALL)


class SlowTerminal(terminals.Terminal):
    """A terminal behind the relay, that answers questions and is typed at by a person."""

    def __init__(
        self,
        command: Sequence[str],
        round_trip: float,
        between_keys: float,
        *,
        size: tuple[int, int] = (80, 24),
    ) -> None:
        environment = {**shell_environment(), "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}
        relay = (
            sys.executable,
            str(Path(__file__).resolve()),
            "--relay",
            str(round_trip / 2),
            *command,
        )
        super().__init__(relay, environment=environment, size=size)
        self.round_trip, self.between_keys = round_trip, between_keys
        self.keys = self.sent = 0
        self.first_key = 0.0

    def press(self, keys: str) -> None:
        for key in _KEY.findall(keys):
            self.first_key = self.first_key or time.monotonic()
            end = time.monotonic() + self.between_keys
            self.send(key.encode())
            self.keys += 1
            while (left := end - time.monotonic()) > 0:
                self._read(left)

    def send(self, data: bytes) -> None:
        self.sent += len(data)
        os.write(self._master, data)

    def wait_for_quiet(self, seconds: float = 0.1) -> None:
        super().wait_for_quiet(self.round_trip + seconds)

    def _read(self, seconds: float) -> bool:
        before = len(self.written)
        came = super()._read(seconds)
        new = self.written[before:]
        for question, answer in ANSWERS.items():
            if question in new:
                self.send(answer)
        return came


class Account:
    """Keys, seconds and bytes of each screen."""

    def __init__(self, terminal: SlowTerminal) -> None:
        self.terminal = terminal
        self.rows: list[tuple[str, int, float, int, int]] = []
        self._last = (0, 0.0, 0, 0)

    def reached(self, place: str) -> None:
        terminal = self.terminal
        seconds = time.monotonic() - terminal.first_key
        # What is still on its way belongs to this screen, too.
        terminal.wait_for_quiet()
        now = (terminal.keys, seconds, terminal.sent, len(terminal.written))
        keys, passed, sent, received = (b - a for a, b in zip(self._last, now, strict=True))
        self.rows.append((place, int(keys), passed, int(sent), int(received)))
        self._last = now


def main() -> None:
    if sys.argv[1:2] == ["--relay"]:
        relay(float(sys.argv[2]), sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--round-trip", type=float, default=0.25)
    parser.add_argument("--between-keys", type=float, default=0.25)
    arguments = parser.parse_args()
    terminals.PATIENCE = 240.0
    pace = arguments.round_trip, arguments.between_keys
    probe(*pace)
    for title, model in (
        ("the base model that comes along", from_list),
        ("a checkpoint in a single file, its path typed", typed),
    ):
        walk(title, model, *pace)
    RESULT.write_text("\n".join([machine(), *_said]) + "\n")


def probe(round_trip: float, between_keys: float) -> None:
    """What the wizard learns of the terminal, and what is left in the input after it."""
    terminal = SlowTerminal([sys.executable, "-c", ASK], round_trip, between_keys)
    try:
        terminal.wait_for("found")
        terminal.wait_for_quiet()
        terminal.press("x")
        terminal.wait_for("typed")
        found = re.findall(r"^(?:found|typed) (.*?) *$", terminal.text, re.MULTILINE)
    finally:
        terminal.kill()
    say(f"probe over {round_trip * 1000:.0f} ms: {found[0]}; the next key reads {found[1]}")
    if found != ["half kitty 10x20", "'x'"]:
        sys.exit("that is not what the terminal said")


def walk(
    title: str, choose_model: Callable[[Walker], None], round_trip: float, between_keys: float
) -> None:
    home = Path(tempfile.mkdtemp(prefix="walk", dir="/tmp"))
    os.environ["HOME"] = str(home)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ.pop(name, None)
    os.chdir(home)
    demo = templates_folder() / "demo"
    (home / "holiday").mkdir()
    for path in (demo / "pictures").glob("*.png"):
        shutil.copy(path, home / "holiday")
    (home / "models").mkdir()
    with tempfile.TemporaryDirectory() as folder:
        base = build(Path(folder, "base"), like_sd1=True)
        checkpoint_of(base, home / "models" / "photo-v3.safetensors")
    terminal = SlowTerminal(SHELL, round_trip, between_keys)
    account = Account(terminal)
    run = RunDirectory(home / "output" / "zibbu")
    try:
        person = Walker(terminal, account.reached)
        person.enter_wizard()
        person.begin()
        person.dataset("holiday", subject="creature", trigger="zibbu")
        person.captions(CAPTION, 16)
        person.repeats(1, 2)
        choose_model(person)
        person.parameters(rank=4, resolution=64)
        person.samples("zibbu, a photo of a creature")
        person.output("zibbu")
        person.review()
        report(title, account)
        check_typed(home)
    finally:
        with contextlib.suppress(WizardError):
            control.kill(run)
        terminal.kill()
        shutil.rmtree(home, ignore_errors=True)


def from_list(person: Walker) -> None:
    person.model("embedded:demo")


def typed(person: Walker) -> None:
    person.model_by_path("models", "photo-v3.safetensors")


def check_typed(home: Path) -> None:
    """Nothing that the terminal said by itself has come into a field."""
    toml = tomllib.loads((home / "zibbu.toml").read_text())
    found = (
        toml["dataset"]["folder"].rstrip("/"),
        toml["captions"]["trigger_words"],
        toml["output"]["name"],
        toml["network"]["rank"],
        toml["samples"]["prompts"],
        (home / "holiday" / "zibbu-01.txt").read_text().strip(),
    )
    wanted = ("holiday", ["zibbu"], "zibbu", 4, ["zibbu, a photo of a creature"], CAPTION)
    if found != wanted:
        sys.exit(f"the fields hold {found}")
    say("the TOML and the captions hold what was typed, and nothing else")


def report(title: str, account: Account) -> None:
    say(f"\nwith {title}:")
    say(f"{'screen':<18}{'keys':>6}{'seconds':>10}{'bytes sent':>12}{'bytes shown':>13}")
    for place, keys, seconds, sent, received in account.rows:
        say(f"{place:<18}{keys:>6}{seconds:>10.1f}{sent:>12}{received:>13,}")
    _, keys, times, sent, received = zip(*account.rows, strict=True)
    say(f"{'all':<18}{sum(keys):>6}{sum(times):>10.1f}{sum(sent):>12}{sum(received):>13,}")
    minutes, seconds = divmod(round(sum(times)), 60)
    say(f"from the first key to the first step: {minutes}:{seconds:02} minutes")


def relay(delay: float, command: Sequence[str]) -> None:
    """Run ``command`` at a terminal of its own; every byte in between comes ``delay`` s later."""
    size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    tty.setraw(0)
    child, master = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(command[0], list(command))
    under_way: deque[tuple[float, int, bytes]] = deque()
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, target, data = under_way.popleft()
            os.write(target, data)
        wait = max(0.0, under_way[0][0] - now) if under_way else None
        for source in select.select([0, master], [], [], wait)[0]:
            try:
                data = os.read(source, 1 << 16)
            except OSError:
                data = b""
            if not data:
                for when, target, rest in under_way:
                    time.sleep(max(0.0, when - time.monotonic()))
                    if target == 1:
                        os.write(target, rest)
                return
            under_way.append((time.monotonic() + delay, 1 if source == master else master, data))


def machine() -> str:
    names = re.findall(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    processor = names[0] if names else "an unknown processor"
    return f"{time.strftime('%Y-%m-%d')}, {cores} cores of {processor}, load {load:.0f}\n"


def say(line: str) -> None:
    _said.append(line)
    print(line, flush=True)


if __name__ == "__main__":
    main()
