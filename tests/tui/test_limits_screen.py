"""When a run is to end by itself: asked before the start, told in the command, obeyed."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest
from form_walks import at_step, ready_draft, settled
from homes import make_run
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import known_runs
from lora_wizard.core.run.status import summary
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.arguments import add_config_arguments, add_start_arguments, limits_of
from lora_wizard.tui.screens.ask import Ask
from lora_wizard.tui.screens.limits import LimitsScreen
from lora_wizard.tui.screens.review import ReviewScreen
from lora_wizard.tui.screens.train import TrainScreen
from lora_wizard.tui.walk import review, start_limits
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.toml_view import TomlView
from screens import SIZES, at_rest, check_snapshot, screen_text, until
from textual.pilot import Pilot

pytestmark = pytest.mark.anyio


async def typed(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*text)
    await pilot.press("enter")


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
async def test_limits_are_asked_and_explained(home: Path, size: tuple[int, int]) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "review", size) as (app, pilot):
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        await typed(pilot, "later")
        await typed(pilot, "2h30m")
        await pilot.press("enter")
        await typed(pilot, "5")
        await pilot.press(*"upload 'a b'")
        if size == SIZES[0]:
            # A wide screen shows, cut in half beside it, a path that is another one each time.
            check_snapshot(app, "limits", home)
        assert "cannot be understood" in screen_text(app)
        assert "Say first what an hour" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        check_snapshot(app, "review-limits", home)
        # What cannot be understood is asked for again, and nothing starts.
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        assert app.screen.focused is not None and app.screen.focused.id == "until"
    kept = Draft.load(draft.path)
    assert [kept.fact(item.fact) for item in start_limits.QUESTIONS] == [
        *("later", "2h30m", "5", "upload 'a b'")
    ]
    assert "later" not in kept.text
    assert known_runs() == []


async def test_f4_shows_the_difference_alone_and_the_toml_again(home: Path) -> None:
    async with at_step(ready_draft(home), "review", SIZES[1]) as (app, pilot):
        toml = app.screen.query_one(TomlView)
        assert toml.display
        await pilot.press("f4")
        assert not toml.display and app.screen.query_one("#difference").display
        await pilot.press("f4")
        assert toml.display


def test_the_command_says_the_same(home: Path) -> None:
    import argparse

    draft = ready_draft(home)
    for fact, text in {
        "until": "2199-01-01 10:00",
        "max_time": "90 min",
        "max_cost": "$5",
        "price_per_hour": "$0.79",
        "then": "echo \"$LORA_WIZARD_FILE\" > 'a b'; sudo poweroff",
    }.items():
        draft.note(fact, text)
    words = shlex.split(review.command(draft))
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    add_start_arguments(parser)
    told, here = limits_of(parser.parse_args(words[2:])), start_limits.of(draft)
    assert told.ends_at == pytest.approx(here.ends_at, abs=5)
    assert (told.because, told.then) == (here.because, here.then)
    assert here.because == "90 min are over"


def test_a_token_in_the_command_is_refused_and_shown_nowhere(home: Path) -> None:
    draft = ready_draft(home)
    token = "hf_" + "Ab1" * 12
    draft.note("then", f"upload --token {token}")
    assert "access token" in start_limits.problem(draft, "then")
    assert token not in review.command(draft) + draft.path.read_text()


async def test_a_run_is_started_with_its_limits(home: Path) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "review") as (app, pilot):
        await pilot.press("f6", "tab")
        await typed(pilot, "45min")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await settled(app, pilot)
        await start(app, pilot)
        run = known_runs()[0]
        try:
            status = summary(run)
            assert status.because == "45min are over"
            assert status.ends_at is not None
            assert 2600 < status.ends_at - time.time() < 2701
        finally:
            control.kill(run)
            control.wait(run, 20)


async def start(app: WizardApp, pilot: Pilot[None]) -> None:
    await pilot.press("ctrl+n")
    await until(pilot, lambda: isinstance(app.screen, Ask))
    assert "It ends by itself after 45min." in screen_text(app)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, TrainScreen))


async def test_a_run_that_is_gone_on_with_is_asked_the_same(home: Path) -> None:
    make_run(home, "old-one", "stopped", steps=3)
    draft = ready_draft(home)
    draft.note("price_per_hour", "$0.50")
    app = WizardApp()
    async with app.run_test(size=SIZES[0]) as pilot:
        await at_rest(pilot)
        await pilot.press("tab", "tab", "r")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        await typed(pilot, "later")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        # What cannot be understood is asked for again.
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        await pilot.press(*["backspace"] * 5, "tab")
        await typed(pilot, "45min")
        assert "$0.50" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        check_snapshot(app, "resume-limits", home)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        (run,) = known_runs()
        started = [line for line in run.events_path.read_text().splitlines() if "ends_at" in line]
        assert len(started) == 1 and "45min are over" in started[0]
        control.kill(run)
        control.wait(run, 20)


async def test_the_monitor_asks_too(home: Path) -> None:
    run = make_run(home, "old-one", "stopped", steps=3)
    app = WizardApp(TrainScreen(run))
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(pilot, lambda: "Resume" in screen_text(app))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, LimitsScreen))
        await pilot.press("tab")
        await typed(pilot, "45min")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert "It ends by itself after 45min." in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "45min are over" in run.events_path.read_text())
        control.kill(run)
        control.wait(run, 20)
