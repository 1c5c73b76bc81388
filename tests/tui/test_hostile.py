"""Names, captions, prompts and logs that would command a terminal: what of them reaches it, byte by
byte, from every screen.

The app runs in a process of its own on a real pty. A step is added to `STEPS`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import finished_run
import pytest
from checkpoints import write_header
from hostile import ALL, MARK, NAMES, TEXTS, Pty, assert_harmless
from lora_wizard.core.run import registry
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.walk.memory import remember_toml
from PIL import Image
from plain_person import talk

SHOW = """
import sys
from pathlib import Path
from lora_wizard.tui.commands.open import show
what, path = sys.argv[1], Path(sys.argv[2])
if what == "run":
    from lora_wizard.core.run.directory import RunDirectory
    sys.exit(show("half", run=RunDirectory.open(path)))
from lora_wizard.tui.walk.draft import Draft
sys.exit(show("half", draft=Draft.load(path) if what == "draft" else None))
"""
PAGE_DOWN, DOWN, TAB, ENTER, ESCAPE = b"\x1b[6~", b"\x1b[B", b"\t", b"\r", b"\x1b"
F1, F2, F3, F4 = b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS"
F5, F6 = b"\x1b[15~", b"\x1b[17~"
QUIT, PALETTE, SAVE = b"\x11", b"\x10", b"\x13"


@dataclass(frozen=True)
class Shown:
    """A step to look at, and keys that lead through all that it shows."""

    step: str
    keys: tuple[bytes, ...] = ()


STEPS = (
    Shown("dataset", (TAB, TAB, F1, ESCAPE)),
    Shown("captions", (*[PAGE_DOWN] * 9, F4, b"z", F5, ESCAPE, F6)),
    Shown("repeats", (PAGE_DOWN, F2)),
    Shown("model", (TAB, PAGE_DOWN, F4, ESCAPE)),
    Shown("parameters", (F4, PAGE_DOWN, PAGE_DOWN, PAGE_DOWN, F3, b"z", F2, ESCAPE)),
    Shown("samples", (F2, TAB, PAGE_DOWN)),
    Shown("output", (TAB, TAB, SAVE, PALETTE, b"z", ESCAPE)),
    Shown("review", (PAGE_DOWN, PAGE_DOWN, F4, PAGE_DOWN, F3, F2, ESCAPE)),
)


@pytest.fixture
def pictures(home: Path) -> Path:
    """Pictures with hostile names, with hostile captions, and with both."""
    folder = home / "pictures"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        caption = text.replace("\x00", "")
        name = caption.replace("/", "|").encode("utf-8")[:100].decode("utf-8", "ignore")
        for path in (folder / f"{number}.png", folder / f"{number}{name}.png"):
            Image.new("RGB", (64, 64), (0, 99, 0)).save(path)
            path.with_name(path.name[:-4] + ".txt").write_text(caption)
    Image.new("RGB", (64, 64)).save(folder / os.fsdecode(b"9\xff\xfe" + MARK.encode() + b".png"))
    return folder


@pytest.fixture
def terminals() -> Iterator[list[Pty]]:
    opened: list[Pty] = []
    yield opened
    for terminal in opened:
        terminal.close()


def hostile_draft(home: Path, step: str) -> Draft:
    """Every text of the form is hostile; the pictures are there, the base model is no model."""
    draft = Draft.new("style")
    draft.put("dataset.folder", str(home / "pictures"))
    draft.put("dataset.regularization_folder", None)
    draft.put("captions.trigger_words", [text for text in TEXTS[:-1] if "\r" not in text])
    draft.put("captions.prefix", TEXTS[0])
    draft.put("samples.prompts", [*TEXTS])
    draft.put("samples.negative_prompt", TEXTS[-1])
    draft.note("class_word", TEXTS[1])
    draft.note("price_per_hour", ALL)
    draft.put("output.comment", "".join(TEXTS))
    draft.enter("training.batch_size", ALL)
    if step in ("dataset", "captions"):
        draft.put("model.base", "embedded:demo")
        draft.put("output.name", "lora")
    else:
        base = home / f"{NAMES[1]}.safetensors"
        write_header(base, {"weight": (4, 4)}, **{TEXTS[4]: TEXTS[0], "ss_output_name": ALL})
        draft.put("model.base", str(base))
        draft.put("output.name", ALL)
        draft.put("output.folder", TEXTS[0])
        draft.put("output.publish_to", TEXTS[5])
    draft.step = step
    draft.keep()
    return draft


def hostile_run(home: Path, *, name: str = "", outcome: str = "finished") -> RunDirectory:
    """A run with a hostile name, whose events, log and prompts are hostile."""
    made = finished_run.make(home / "out", prompts=(*TEXTS[:5], ALL))
    path = made.path.rename(home / "out" / f"{name or NAMES[0]}")
    registry.remember(path)
    run = RunDirectory.open(path)
    error = {"title": TEXTS[0], "message": "".join(TEXTS[:-1]), "remedy": TEXTS[5]}
    run.update(outcome=outcome, exit_code=0, error=error if outcome == "failed" else None)
    with run.events_path.open("a") as file:
        for at, text in enumerate(TEXTS):
            facts = {"kind": "sample", "path": f"samples/{text}", "step": at, "epoch": 1}
            for event in (
                {"kind": "phase", "phase": text},
                {"kind": "warning", "title": text, "message": text, "remedy": text},
                {"kind": "saved", "path": text, "step": 3, "epoch": 1, "sha256": text, "bytes": 1},
                {**facts, "prompt": text, "seed": 1},
                {"kind": text, "message": text},
            ):
                file.write(json.dumps(event | {"time": 99.0 + at}) + "\n")
        if outcome == "failed":
            file.write(json.dumps({"kind": "failed", "time": 200.0, **error}) + "\n")
    run.log_path.write_bytes("\n".join(TEXTS).encode() + b"\n\xff\xfe" + MARK.encode() + b"\n")
    return run


def shown(terminals: list[Pty], what: str, path: Path, keys: Sequence[bytes]) -> Pty:
    """The wizard, after those keys, left with ctrl+q."""
    terminal = Pty(["-c", SHOW, what, str(path)])
    terminals.append(terminal)
    terminal.wait_for(MARK.encode())
    terminal.settle()
    terminal.press(*keys)
    return terminal


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.step)
def test_no_step_lets_a_text_command_the_terminal(
    step: Shown, pictures: Path, home: Path, terminals: list[Pty]
) -> None:
    draft = hostile_draft(home, step.step)
    terminal = shown(terminals, "draft", draft.path, step.keys)
    # Whatever length the texts have, the way on stays in its place.
    assert "Help" in terminal.text.splitlines()[-1], terminal.text
    terminal.press(QUIT)
    terminal.wait_for(b"lora-wizard` continues it")
    assert_harmless(terminal.output)


def test_home_shows_hostile_drafts_and_runs(home: Path, terminals: list[Pty]) -> None:
    for name in NAMES:
        draft = Draft.new("face")
        draft.put("output.name", name)
    remember_toml(home / f"{NAMES[1]}.toml")
    (home / f"{NAMES[1]}.toml").write_text("")
    hostile_run(home)
    hostile_run(home, name=NAMES[1], outcome="failed")
    hostile_run(home, name=NAMES[4], outcome="running")
    keys = (*[DOWN] * 14, b"p", ESCAPE, b"o", b"z", TAB, ESCAPE, F1, ESCAPE, PALETTE, ESCAPE)
    terminal = shown(terminals, "home", home, keys)
    assert "Help" in terminal.text.splitlines()[-1], terminal.text
    terminal.press(b"\x1b[3~", ESCAPE, QUIT)
    assert_harmless(terminal.output)


@pytest.mark.parametrize("outcome", ["finished", "failed"])
def test_the_monitor_and_the_results_show_hostile_runs(
    home: Path, outcome: str, terminals: list[Pty]
) -> None:
    run = hostile_run(home, outcome=outcome)
    monitor = (b"2", DOWN, DOWN, b"v", ESCAPE, b"3", PAGE_DOWN, b"4", F1, ESCAPE)
    results = (ENTER, DOWN, DOWN, ENTER, ESCAPE, TAB, b"b", b"y", b"u", ESCAPE, b"r")
    terminal = shown(terminals, "run", run.path, (*monitor, *results))
    assert "Help" in terminal.text.splitlines()[-1], terminal.text
    terminal.press(QUIT)
    assert_harmless(terminal.output)


def test_the_monitor_is_left_with_a_harmless_word(home: Path, terminals: list[Pty]) -> None:
    terminal = shown(terminals, "run", hostile_run(home).path, (b"d",))
    terminal.wait_for(b"Look again")
    assert_harmless(terminal.output)


def test_paths_are_completed_harmlessly(home: Path, terminals: list[Pty]) -> None:
    for name in NAMES:
        (home / "these" / f"{MARK}{name}").mkdir(parents=True)
    draft = Draft.new("face")
    draft.put("dataset.folder", f"{home}/these/{MARK}")
    draft.step = "dataset"
    draft.keep()
    keys = (TAB, b"\x1b[Z", b"\x7f", b"q", DOWN, DOWN, DOWN, b"\x1b[C", ENTER)
    terminal = shown(terminals, "draft", draft.path, keys)
    terminal.press(ESCAPE, QUIT)
    assert_harmless(terminal.output)


def test_the_plain_questions_show_hostile_texts(pictures: Path, home: Path) -> None:
    toml = home / "mine.toml"
    toml.write_text(hostile_draft(home, "review").text)
    talked = talk([], toml=toml, interrupt_at="LoRA name")
    assert_harmless(talked.text.encode("utf-8", "surrogateescape").replace(b"\r\n", b"\n"))
