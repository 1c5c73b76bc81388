"""From the review to a run, and back to what has to be mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_walks import at_step, ready_draft, settled, step_of
from lora_wizard.core.config import configfile
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory, known_runs
from lora_wizard.core.run.lock import RunLock
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.ask import Ask
from lora_wizard.tui.screens.review import ReviewScreen
from lora_wizard.tui.screens.train import TrainScreen
from lora_wizard.tui.walk import review
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.fields import field_of
from lora_wizard.tui.widgets.toml_view import highlighted
from screens import screen_text, until
from textual.pilot import Pilot

pytestmark = pytest.mark.anyio


async def arrived(app: WizardApp, pilot: Pilot[None], wanted: type) -> None:
    """Wait for a screen."""
    await until(pilot, lambda: isinstance(app.screen, wanted))


async def test_a_problem_leads_to_its_field(home: Path) -> None:
    draft = ready_draft(home)
    draft.enter("loss.prior_loss_weight", "x")
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("ctrl+n")
        await arrived(app, pilot, Ask)
        await pilot.press("enter")
        await settled(app, pilot)
        assert step_of(app) == "parameters"
        here = field_of(app.screen.focused)
        assert here is not None
        assert here.info.key == "loss.prior_loss_weight"
        assert "✗ must be a number" in screen_text(app)
    assert known_runs() == []


async def test_a_key_that_nothing_knows_can_be_taken_out(home: Path) -> None:
    toml = home / "mine.toml"
    ready_draft(home).save_as(toml)
    text = toml.read_text()
    toml.write_text(f"nonsense = 1\n{text}foldr = 2 # mine\n")
    draft = Draft.of_file(toml)
    async with at_step(draft, "review") as (app, pilot):
        for _ in range(2):
            assert "there is no such" in screen_text(app)
            await pilot.press("ctrl+n")
            await arrived(app, pilot, Ask)
            await pilot.press("enter")
            await arrived(app, pilot, Ask)
            await pilot.press("enter")
            await arrived(app, pilot, ReviewScreen)
            await settled(app, pilot)
        assert "It can start" in screen_text(app)
    assert draft.text == text
    assert Draft.load(draft.path).text == text


async def test_a_broken_picture_is_found_before_the_start(home: Path) -> None:
    draft = ready_draft(home)
    picture = home / "pictures" / "3.png"
    picture.write_bytes(picture.read_bytes()[:80])
    async with at_step(draft, "review") as (app, _):
        assert app.assessment is not None
        assert app.assessment.errors == []
        assert "1 to mend" in screen_text(app)
        assert "3.png" in screen_text(app)


async def test_a_broken_picture_is_left_out_from_where_it_is_found(home: Path) -> None:
    draft = ready_draft(home)
    picture = home / "pictures" / "3.png"
    picture.write_bytes(picture.read_bytes()[:80])
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("enter")
        await pilot.pause()
        assert "Leave out 3.png" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await settled(app, pilot)
        assert "It can start" in screen_text(app)
    assert draft.value("dataset.exclude") == ["pictures/3.png"]


async def test_one_key_leads_to_the_review(home: Path) -> None:
    async with at_step(ready_draft(home), "dataset") as (app, pilot):
        await pilot.press("f9")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))


async def test_start_saves_the_toml_and_runs_it_without_the_wizard(home: Path) -> None:
    draft = ready_draft(home)
    (home / "face.toml").write_text("of somebody else")
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("ctrl+n")
        await arrived(app, pilot, Ask)
        assert "face-2.toml" in screen_text(app)
        await pilot.press("enter")
        await arrived(app, pilot, TrainScreen)
    run = known_runs()[0]
    try:
        assert run.is_live()
        assert run.record().command == ["lora-wizard", "train", str(home / "face-2.toml")]
        assert run.config() == configfile.load(home / "face-2.toml")
        assert (home / "face.toml").read_text() == "of somebody else"
        assert draft.path.exists()
    finally:
        control.kill(run)
        control.wait(run, 20)


async def test_a_folder_that_cannot_be_made_is_said_and_nothing_is_lost(home: Path) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("ctrl+n")
        await arrived(app, pilot, Ask)
        (home / "output").write_text("in the way")
        await pilot.press("enter")
        await pilot.pause()
        await arrived(app, pilot, Ask)
        assert "cannot be made" in screen_text(app)
        await pilot.press("escape")
        await arrived(app, pilot, ReviewScreen)
    assert known_runs() == []


def test_an_older_run_of_the_name_and_a_live_one_are_told(home: Path) -> None:
    draft = ready_draft(home)
    config = draft.config()
    assert review.neighbours(config).warnings == []
    stopped = RunDirectory.create(config)
    lock = RunLock.take(stopped.lock_path)
    lock.announce()
    assert review.neighbours(config).live == ["face"]
    lock.release()
    stopped.update(outcome="stopped", attempts=1, exit_code=75)
    found = review.neighbours(config)
    assert found.unfinished is not None
    assert found.unfinished.path == stopped.path
    assert "stopped" in found.warnings[0]
    other = config.model_copy(update={"output": config.output.model_copy(update={"name": "fac"})})
    assert review.neighbours(other).unfinished is None


def test_the_command_is_quoted_and_says_what_is_on_the_disk(home: Path) -> None:
    draft = ready_draft(home)
    assert not review.is_saved(draft)
    draft.save_as(home / "a b.toml")
    assert review.is_saved(draft)
    assert review.command(draft) == f"lora-wizard train '{home}/a b.toml'"
    draft.enter("network.rank", "3")
    assert not review.is_saved(draft)


def test_a_toml_in_colours_says_the_same_with_nothing_a_terminal_obeys() -> None:
    text = '[a]\nb = "x # y" # z\x1b[31m\nc = [1, 2.5e-3]\r\nd = true\n'
    shown = highlighted(text)
    assert shown.plain == '[a]\nb = "x # y" # z\\x1b[31m\nc = [1, 2.5e-3]\nd = true\n'
    styled = {shown.plain[span.start : span.end] for span in shown.spans}
    assert {"[a]", "b", '"x # y"', "# z\\x1b[31m", "1", "2.5e-3", "true"} <= styled
