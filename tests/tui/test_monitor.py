"""The monitor of a run: what it shows of a past, how it follows, what it asks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.run import control
from lora_wizard.core.run.events import EventReader
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.train import TrainScreen
from lora_wizard.tui.walk import monitor_words
from lora_wizard.tui.walk.runs import RunBook
from lora_wizard.tui.widgets.picture import Picture
from monitored_runs import PreparedRun
from monitors import caching, drawn, failed, finished, monitor, paused, says, training
from screens import SIZES, check_snapshot, screen_text, until
from textual.pilot import Pilot


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize("past", [caching, training, paused, failed, finished])
async def test_screens(
    home: Path, past: Callable[[PreparedRun], None], size: tuple[int, int]
) -> None:
    run = PreparedRun(home)
    past(run)
    async with monitor(run, size, live=past in (caching, training, paused)) as pilot:
        check_snapshot(pilot.app, f"monitor-{past.__name__}", home)


@pytest.mark.anyio
async def test_panes_alone(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    async with monitor(run) as pilot:
        for key, pane in (("1", "loss"), ("2", "pictures"), ("3", "log")):
            await pilot.press(key)
            await drawn(pilot)
            check_snapshot(pilot.app, f"monitor-only-{pane}", home)
            await pilot.press("4")
        await pilot.press("y")
        await says(pilot, "y: log")


@pytest.mark.anyio
async def test_an_end_of_its_own_is_told(home: Path) -> None:
    run = PreparedRun(home)
    ends_at = time.time() + 3600
    run.emit("started", ends_at=ends_at, because="$5 are spent", then="upload")
    run.train(2, 500)
    clock = f"{datetime.fromtimestamp(ends_at):%H:%M}"
    async with monitor(run) as pilot:
        text = screen_text(pilot.app)
        assert f"ends by {clock}" in text and "unfinished" not in text
        assert f"It saves and ends by {clock} ($5 are spent). Back to it: lora-wizard a" in text
        run.emit("started", ends_at=time.time() + 60)
        run.train(2, 20)
        await says(pilot, ", unfinished")
        run.emit("started", ends_at=time.time() + 60, because="$5 are spent")
        run.emit("stopping", by="$5 are spent")
    run.end("stopped", 75)
    async with monitor(run, live=False) as pilot:
        await says(pilot, "It ended as $5 are spent. r goes on")


@pytest.mark.anyio
async def test_the_newest_line_of_the_log_is_seen_also_after_the_log_alone(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    run.log(*(f"line {number}" for number in range(12)))
    async with monitor(run) as pilot:
        await says(pilot, "line 11")
        await pilot.press("3")
        await drawn(pilot)
        await pilot.press("4")
        await says(pilot, "line 11")
        run.log("line 12")
        await says(pilot, "line 12")


def pictures(pilot: Pilot[None]) -> list[str]:
    found = [picture.path for picture in pilot.app.screen.query(Picture)]
    return [path.name if path else "" for path in found]


@pytest.mark.anyio
async def test_pictures_through_time_and_prompts(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    async with monitor(run) as pilot:
        assert pictures(pilot) == ["step00000000-01.png", "step00000480-01.png"]
        run.sample(500, 5)
        await until(pilot, lambda: pictures(pilot)[1] == "step00000500-01.png")
        await pilot.press("left", "left")
        assert pictures(pilot) == ["step00000000-01.png", "step00000360-01.png"]
        run.sample(501, 5)
        run.log("more")
        await says(pilot, "more")
        assert pictures(pilot)[1] == "step00000360-01.png", "whoever looks is not moved"
        await pilot.press("down")
        assert pictures(pilot) == ["step00000000-02.png", "step00000360-02.png"]
        await pilot.press("left", "left", "left", "left")
        assert pictures(pilot)[1] == "step00000120-02.png", "the base model's stands beside it"
        await pilot.press("end", "up")
        assert pictures(pilot) == ["step00000000-01.png", "step00000501-01.png"]


@pytest.mark.anyio
async def test_hostile_words_reach_the_screen_escaped(home: Path) -> None:
    run = PreparedRun(home)
    hostile = "\x1b]0;owned\x07[red]\u202e\n"
    run.emit("started")
    run.emit("phase", phase=hostile, total=3)
    run.emit("problem", severity=hostile, message=hostile)
    run.emit("step", step=1, total=3, loss=1.0, learning_rates={hostile: 1.0})
    run.emit("sample", path=f"samples/{hostile}", step=0, prompt=hostile, epoch=hostile)
    run.emit("sample", path=f"samples/{hostile}2", step=1, prompt=hostile, seed=hostile)
    run.log(hostile)
    async with monitor(run) as pilot:
        run.emit("saved", path=hostile, step=2)
        await says(pilot, "saved \\x1b]0;owned\\x07[red]\\u202e\\x0a (step 2)")
        text = screen_text(pilot.app)
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.anyio
async def test_without_colours_everything_is_said_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = PreparedRun(home)
    training(run)
    async with monitor(run) as pilot:
        await says(pilot, "► training", "raw ⢕⢕  smoothed ⠒⠒", "step00000480-01.png")


class Painted(WizardApp):
    """Counts what is sent to the terminal."""

    count = 0

    def _display(self, *arguments: Any) -> None:
        self.count += 1
        super()._display(*arguments)


@pytest.mark.anyio
async def test_a_sign_of_life_alone_paints_nothing(home: Path) -> None:
    run = PreparedRun(home)
    paused(run)
    with run.live():
        app = Painted(TrainScreen(run.directory))
        async with app.run_test(size=(80, 24)) as pilot:
            await says(pilot, "‖ paused")
            await drawn(pilot)
            screen, before = app.screen, app.count
            assert isinstance(screen, TrainScreen)
            reader = screen._watch._reader
            for _ in range(2):
                offset = reader.offset
                run.emit("progress", phase="paused", done=500, total=None)
                await until(pilot, lambda offset=offset: reader.offset > offset)
            await pilot.pause()
            assert app.count == before


@pytest.mark.anyio
async def test_two_watch_and_both_see_it(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    async with monitor(run) as pilot:
        control.request(run.directory, "save")
        run.save(500, 5, "mika-step00000500.safetensors")
        await says(pilot, "saved mika-step00000500.safetensors (step 500)")


def test_prepared_events_are_what_a_job_writes(home: Path) -> None:
    """No field here that the engine does not know."""
    run = PreparedRun(home)
    run.train(1, 120)
    kinds = {event["kind"] for event in EventReader(run.directory.events_path).read()}
    assert kinds == {"started", "phase", "step", "saved", "sample"}
    json.dumps(run.directory.manifest())


@pytest.mark.parametrize("helps", [True, False])
def test_what_a_resume_would_meet_again_is_not_sent_to_one(home: Path, helps: bool) -> None:
    run = PreparedRun(home).directory
    error = {"title": "The dataset has changed", "message": "", "remedy": "Undo it to resume."}
    run.update(outcome="failed", attempts=1, exit_code=2, error=error, resume_helps=helps)
    (entry,) = RunBook().read(RunBook().glance())
    assert entry.status
    told = monitor_words.failure_words(entry.status, run)
    assert "Undo it to resume." in told
    assert ("press r" in told) == helps
    assert ("r goes on" in monitor_words.hint(entry.status, run, False)) == helps
    assert sorted(entry.actions) == ["results", "resume", "watch"]
    assert (entry.actions[0] == "resume") == helps
