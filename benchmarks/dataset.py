"""From raw pictures to a dataset: the keys and the minutes of the walk, and five commands.

    python benchmarks/dataset.py RAW [--round-trip 0.25] [--between-keys 0.25]

RAW is a folder of pictures as people have them: copies, blur, folders within folders. Copies of
it are walked through at a terminal of 80x24 behind the relay of `walk.py`, and at one of 120x40
without delay: all folders are taken, every spare copy, blurred and broken picture is left out, the
others are cut into a new folder and captioned, the trigger word in front, pruned of what describes
the subject, and trained as long as is usual with the base model that comes along. Review must find
no error in it, and every caption must begin with the trigger word. Then commands of a script do
the same. The captioner is a WD tagger in miniature that answers at once: a real one's time comes
on top, and so does what a person needs to look and to think.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from lora_wizard.core.errors import WizardError
from lora_wizard.tui.walk.steps import STEPS
from walk import Account, SlowTerminal, machine, terminals
from walker import DOWN, ENTER, ESCAPE, F2, F5, NEXT, SHELL, TAB, Walker, shell_environment

F3, F7, F8, END, CLEAR = "\x1bOR", "\x1b[18~", "\x1b[19~", "\x1b[F", "\x01\x0b"
TRIGGER = "zibbu"
RESULT = Path(__file__).resolve().with_name("results") / "dataset.txt"
_said: list[str] = []


def main() -> None:
    import numpy as np
    from tiny_tagger import build

    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("--round-trip", type=float, default=0.25)
    parser.add_argument("--between-keys", type=float, default=0.25)
    arguments = parser.parse_args()
    terminals.PATIENCE = 60.0
    home = Path(tempfile.mkdtemp(prefix="dataset", dir="/tmp"))
    os.environ["HOME"] = str(home)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ.pop(name, None)
    os.chdir(home)
    names = ("no_humans", "scenery", "outdoors", "sky", "tree", "flower", "night", "water")
    random = np.random.default_rng(3)
    weights = random.normal(0, 0.02, (3, len(names)))
    weights[:, 0] = 0
    bias = -110 * weights.sum(0) + random.normal(0, 1, len(names))
    bias[0] = 4
    build(home / "tagger", [(name, 0) for name in names], weights, bias)
    try:
        for size, round_trip in (((80, 24), arguments.round_trip), ((120, 40), 0.0)):
            fresh(arguments.raw)
            by_keyboard(size, round_trip, arguments.between_keys)
        fresh(arguments.raw)
        by_commands()
    except WizardError as error:
        raise SystemExit(str(error)) from error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    RESULT.write_text("\n".join([machine(), *_said]) + "\n")


def fresh(raw: Path) -> None:
    """Nothing but a copy of the pictures and the captioner."""
    for path in Path.cwd().iterdir():
        if path.name != "tagger":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(raw, "raw")


def by_keyboard(size: tuple[int, int], round_trip: float, between_keys: float) -> None:
    terminal = SlowTerminal(SHELL, round_trip, between_keys, size=size)
    account = Account(terminal)
    try:
        walk(Walker(terminal, account.reached))
    finally:
        terminal.kill()
    width, height = size
    load = os.getloadavg()[0]
    say(f"at {width}x{height}, {round_trip * 1000:.0f} ms there and back, load {load:.0f}")
    say(f"{'by keyboard':<18}{'keys':>6}{'seconds':>10}")
    for place, keys, seconds, *_ in account.rows:
        say(f"{place:<18}{keys:>6}{seconds:>10.1f}")
    _, keys, times, *_ = zip(*account.rows, strict=True)
    say(f"{'all':<18}{sum(keys):>6}{sum(times):>10.1f}")
    if len(set(told("raw-resized"))) > 1:
        raise SystemExit("Not every picture has a caption that begins with the trigger word.")


def walk(person: Walker) -> None:
    terminal = person.terminal
    terminal.wait_for("$")
    person.press(f"lora-wizard raw{ENTER}", at_step(person, 1))
    terminal.wait_for(person.shows(r"F8 +(Leave out|Use these)"))
    while person.shows(r"F8 +(Leave out|Use these)")():
        before = terminal.text
        person.press(F8, lambda before=before: terminal.text != before)
        terminal.wait_for(person.shows(r"Found \d+ pictures|F8 +(Leave|Use)"))
        terminal.wait_for_quiet(1.0)
    person.at("Folders")
    person.press(F2, person.shows(r"\d+ findings"))
    for kind in ("Cannot be read", "Twice", "Alike", "Blurred"):
        if person.shows(kind)():
            person.tap("A")
    look = terminal.text.splitlines()[0].strip()
    person.at("Look")
    person.press(ESCAPE, at_step(person, 1))
    terminal.wait_for(person.shows(r"Found \d+ pictures"))
    person.press(F3, person.shows(r"1 of \d+"))
    person.press(F5, "copies made")
    person.press(F8, "in 1 folder")
    person.at("Copies")
    person.press(F7 + TRIGGER, person.shows(rf"Trigger words +{TRIGGER}"))
    person.at("Trigger word")
    person.press(NEXT, at_step(person, 2))
    caption(person)
    person.press(NEXT, at_step(person, 3))
    person.press(F3, "F8 puts back")
    person.at("Repeats")
    person.press(NEXT, at_step(person, 4))
    person.press("embedded:demo", "recognised")
    person.press(F2, "[fp32]")
    person.at("Model")
    for step in range(5, 9):
        person.press(NEXT, at_step(person, step))
    terminal.wait_for("It can start")
    person.at("Review")
    say(f"\nlook: {look}")
    if person.shows("to mend")():
        raise SystemExit(f"Review finds errors:\n{terminal.text}")


def caption(person: Walker) -> None:
    """By the tagger, then without what describes the subject."""
    terminal = person.terminal
    person.press(F5, person.shows("> Names of files and folders +ready"))
    # The tagger is two below, its model the third field behind the list.
    person.tap(DOWN, DOWN)
    terminal.wait_for("> WD tagger")
    person.tap(ENTER, *[TAB] * 3)
    terminal.press(f"{CLEAR}{Path.cwd() / 'tagger'}")
    terminal.wait_for("F2 Start")
    person.press(F2, "captions written")
    person.press(ESCAPE, at_step(person, 2))
    person.at("Captions")
    person.press(F8, "seem to describe the subject")
    person.tap("p")
    person.press("o", "Trigger words first")
    person.tap(END, ENTER)
    person.press("w", "Write them")
    person.press(ENTER, "captions written")
    person.press(ESCAPE, at_step(person, 2))
    person.at("Tags")


def at_step(person: Walker, number: int) -> Callable[[], object]:
    """Whether a step is on the screen, as a narrow or a wide one says."""
    return person.shows(rf"Step {number}/8|\u25ba {STEPS[number - 1].title} +(here|to mend)")


def by_commands() -> None:
    commands = (
        "resize raw --flat --no-enlarge --into photos",
        "new face --dataset photos --base embedded:demo --name zibbu "
        "--set captions.trigger_words=zibbu",
        "look zibbu.toml --leave-out broken,duplicate,near-duplicate,blurred,small --json",
        "caption zibbu.toml --with wd_tagger --model tagger --json",
        "tags zibbu.toml --prune --underscores --trigger-words --json",
        "check zibbu.toml --json",
    )
    say(f"\n{'by commands':<18}{'status':>6}{'seconds':>10}")
    begun = time.monotonic()
    environment = {**os.environ, **shell_environment()}
    for command in commands:
        start = time.monotonic()
        done = subprocess.run(
            ["lora-wizard", *command.split()],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        name = command.split()[0]
        say(f"{name:<18}{done.returncode:>6}{time.monotonic() - start:>10.1f}")
        if name == "look":
            kinds = [item["kind"] for item in json.loads(done.stdout)["findings"]]
            said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
            say(f"  findings: {said}")
    say(f"{'all':<18}{'':>6}{time.monotonic() - begun:>10.1f}")
    left = tomllib.loads(Path("zibbu.toml").read_text())["dataset"]["exclude"]
    say(f"left out by the TOML: {len(left)}")
    told("photos")


def told(folder: str) -> tuple[int, int, int]:
    """How many pictures there are now, captions beside them, and captions that begin with the
    trigger word."""
    suffixes = [path.suffix.lower() for path in Path(folder).iterdir()]
    pictures = sum(suffix in (".jpg", ".jpeg", ".png", ".webp") for suffix in suffixes)
    say(f"{folder}: {pictures} pictures, {suffixes.count('.txt')} captions")
    texts = [path.read_text(errors="replace") for path in Path(folder).glob("*.txt")]
    called = sum(text.startswith(TRIGGER) for text in texts)
    say(f"  {called} captions begin with the trigger word")
    return pictures, len(texts), called


def say(line: str) -> None:
    _said.append(line)
    print(line, flush=True)


if __name__ == "__main__":
    main()
