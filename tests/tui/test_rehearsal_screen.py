"""A rehearsal from the wizard: real processes on the base model that comes along."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from form_walks import at_step, ready_draft, settled
from lora_wizard.core.places import cache_folder
from lora_wizard.core.rehearsal import measured
from lora_wizard.core.rehearsal.measured import Measured
from lora_wizard.core.run.directory import RunDirectory, known_runs
from lora_wizard.core.run.lock import holder
from lora_wizard.tui.screens.rehearsal import RehearsalScreen
from lora_wizard.tui.screens.review import ReviewScreen
from lora_wizard.tui.walk.draft import Draft
from plain_person import is_plain, talk
from screens import SIZES, check_snapshot, screen_text, until
from terminal import WIZARD, Terminal

anyio = pytest.mark.anyio
SMALL = Measured(
    per_step=1.25,
    per_save=0.1,
    to_start=20.0,
    per_encoding=0.1,
    per_drawing=4.0,
    memory=7 * 2**30,
    drawing_memory=5 * 2**30,
    memory_there=8 * 2**30,
    bucket="64x64",
    batch_size=4,
    portion=1,
    largest_batch=2,
    device="cpu",
)
"""As on a GPU whose memory holds two pictures."""


def quick_draft(home: Path) -> Draft:
    draft = ready_draft(home)
    draft.put("samples.prompts", ["mika"])
    draft.put("samples.steps", 1)
    return draft


def folders() -> list[RunDirectory]:
    folder = cache_folder() / "rehearsals"
    return [RunDirectory(path) for path in folder.iterdir()] if folder.is_dir() else []


def is_going_on() -> int:
    """The process of the rehearsal, 0 without one."""
    return next((pid for run in folders() if (pid := holder(run.lock_path))), 0)


def is_there(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@anyio
async def test_it_tells_what_it_does_and_then_the_figures(home: Path) -> None:
    draft = quick_draft(home)
    draft.note("price_per_hour", "$3.60")
    async with at_step(draft, "review") as (app, pilot):
        assert "Time known after a minute" in screen_text(app)
        assert "F7" in screen_text(app)
        await pilot.press("f7")
        await until(pilot, lambda: "► loading the model ..." in screen_text(app))
        await until(pilot, lambda: "A step at" in screen_text(app))
        text = screen_text(app)
        assert "A sample picture:" in text and "A save:" in text
        assert "Time  " in text and "Cost  " in text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await settled(app, pilot)
        assert "Time about" in screen_text(app) and "unknown" not in screen_text(app)
        assert "Cost" in screen_text(app)
    assert folders() == known_runs() == []


@anyio
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
async def test_what_does_not_fit_is_mended_with_a_key(home: Path, size: tuple[int, int]) -> None:
    draft = ready_draft(home)
    draft.put("training.batch_size", 4)
    measured.keep(draft.config(), SMALL)
    async with at_step(draft, "review", size) as (app, pilot):
        check_snapshot(app, "review-rehearsed", home)
        app.screen.query_one("#found").focus()
        await pilot.press("down", "enter")
        await until(pilot, lambda: "2 at once, the same steps" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await settled(app, pilot)
        assert "pictures at once do not fit" not in screen_text(app)
    assert draft.value("training.batch_size") == 2
    assert draft.value("training.gradient_accumulation") == 2


@anyio
async def test_it_shows_the_end_in_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = ready_draft(home)
    draft.put("training.batch_size", 4)
    draft.note("price_per_hour", "0.79")

    def rehearse(config: object, tell: Callable[[str], object], look: object) -> object:
        tell("loading the model")
        measured.keep(draft.config(), SMALL)
        return SMALL, ["warning: a step had no number"]

    monkeypatch.setattr("lora_wizard.tui.walk.rehearsal.start.rehearse", rehearse)
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("f7")
        await until(pilot, lambda: "Rehearsed" in screen_text(app))
        check_snapshot(app, "rehearsal", home)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
    assert draft.value("training.batch_size") == 2


@anyio
async def test_asked_for_too_early_it_begins_as_soon_as_it_can(home: Path) -> None:
    async with at_step(ready_draft(home), "review") as (app, pilot):
        # As on a busy machine: every picture is checked before the draft is looked at.
        known, app.assessing.latest = app.assessment, None
        assert known and "F7 rehearses it" in screen_text(app)
        await pilot.press("f7")
        assert isinstance(app.screen, ReviewScreen)
        app.assessing.take(known)
        await until(pilot, lambda: isinstance(app.screen, RehearsalScreen))
        await pilot.press("escape")
        await settled(app, pilot)
        app.assessing.take(known)
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)


@anyio
async def test_escape_ends_it_and_leaves_nothing(home: Path) -> None:
    draft = quick_draft(home)
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("f7")
        await until(pilot, is_going_on)
        process = is_going_on()
        await until(pilot, lambda: "loading the model" in screen_text(app))
        check_snapshot(app, "rehearsal-goes-on", home)
        assert isinstance(app.screen, RehearsalScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await until(pilot, lambda: not is_there(process) and not folders())
        await settled(app, pilot)
        assert "it can start" in screen_text(app)


@anyio
async def test_a_failure_is_told_in_place(home: Path) -> None:
    draft = quick_draft(home)
    async with at_step(draft, "review") as (app, pilot):
        for picture in (home / "pictures").iterdir():
            picture.unlink()
        await pilot.press("f7")
        await until(pilot, lambda: "The rehearsal failed" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
    assert folders() == []


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "how", ["quit", pytest.param("hang up", marks=_SLOW), pytest.param("kill", marks=_SLOW)]
)
def test_no_process_outlives_the_wizard(home: Path, how: str) -> None:
    toml = home / "face.toml"
    draft = quick_draft(home)
    draft.save_as(toml)
    terminal = Terminal([*WIZARD, "open", str(toml)], environment={"CUDA_VISIBLE_DEVICES": ""})
    try:
        terminal.wait_for("Step 1/8")
        terminal.press("\x1b[20~")  # F9: to the review
        terminal.wait_for("it can start")
        terminal.press("\x1b[18~")  # F7
        terminal.wait_for(is_going_on)
        process = is_going_on()
        if how == "quit":
            terminal.wait_for("loading the model")
            terminal.press("\x11")
            assert os.waitstatus_to_exitcode(terminal.read_to_the_end()) == 0
        elif how == "hang up":
            terminal.close()
            terminal.wait()
        else:
            terminal.kill()
        wait_until(lambda: not is_there(process) and not folders())
    finally:
        terminal.kill()
    assert draft.path.exists()


def test_the_plain_questions_rehearse_too(home: Path) -> None:
    toml = home / "face.toml"
    quick_draft(home).save_as(toml)
    talked = talk([("What now?", "rehearse"), ("What now?", "q")], toml=toml)
    assert talked.status == 0 and is_plain(talked)
    words = " ".join(talked.text.split())
    assert "loading the model ..." in words and "A step at" in words
    assert "Time of the whole run: about" in words
    assert folders() == []


@pytest.mark.slow
def test_ctrl_c_ends_a_plain_rehearsal_alone(home: Path) -> None:
    toml = home / "face.toml"
    quick_draft(home).save_as(toml)
    talked = talk(
        [("What now?", "rehearse"), ("What now?", "q")],
        toml=toml,
        interrupt_at="loading the model",
    )
    assert talked.status == 0
    assert "The rehearsal was ended." in talked.text
    assert folders() == []


def test_a_rehearsal_on_another_machine_says_nothing_here(home: Path) -> None:
    config = ready_draft(home).config()
    measured.keep(config, SMALL)
    assert measured.of(config) == SMALL
    renamed = config.output.model_copy(update={"name": "other"})
    assert measured.of(config.model_copy(update={"output": renamed})) == SMALL
    measured.keep(config, replace(SMALL, device="NVIDIA H100"))
    assert measured.of(config) is None
