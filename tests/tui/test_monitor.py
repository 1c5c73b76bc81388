"""The monitor of a run: what it shows of a past, how it follows, what it asks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core.run import control
from lora_wizard.core.run.events import EventReader
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.results import ResultsScreen
from lora_wizard.tui.screens.train import TrainScreen
from lora_wizard.tui.widgets.picture import Picture
from monitored_runs import TOTAL, PreparedRun
from screens import SIZES, check_snapshot, screen_text, until
from textual.pilot import Pilot

FAILURE = {
    "title": "The GPU's memory is too small for this run",
    "message": "CUDA out of memory. Tried to allocate 2.00 GiB.",
    "remedy": "Start again from the TOML with training.gradient_checkpointing = true.",
}


async def says(pilot: Pilot[None], *words: str) -> None:
    await until(pilot, lambda: all(word in screen_text(pilot.app) for word in words))


async def drawn(pilot: Pilot[None]) -> None:
    """Until the pictures stand."""

    def quiet() -> bool:
        return not [w for w in pilot.app.workers if w.group == "draw" and not w.is_finished]

    await pilot.pause()
    await until(pilot, quiet)
    await pilot.pause()


@asynccontextmanager
async def monitor(
    run: PreparedRun, size: tuple[int, int] = (80, 24), *, live: bool = True
) -> AsyncIterator[Pilot[None]]:
    async with AsyncExitStack() as stack:
        if live:
            stack.enter_context(run.live())
        app = WizardApp(TrainScreen(run.directory))
        pilot = await stack.enter_async_context(app.run_test(size=size))
        await until(pilot, lambda: "reading ..." not in screen_text(app))
        await drawn(pilot)
        yield pilot


def caching(run: PreparedRun) -> None:
    run.emit("started", what="train", version="1", attempt=1)
    run.emit("phase", phase="cache latents", total=28)
    run.emit("progress", phase="cache latents", done=12, total=28)
    run.log("started", "preparing the pictures (28)")
    run.emit(
        "problem",
        severity="warning",
        message="3 pictures are smaller than 512x512",
        remedy="Give larger ones, or a lower dataset.resolution.",
    )


def training(run: PreparedRun) -> None:
    run.train(1, 500)


def paused(run: PreparedRun) -> None:
    run.train(1, 500)
    run.emit("paused", step=500)
    run.emit("phase", phase="paused", total=None)
    run.log("paused")


def failed(run: PreparedRun) -> None:
    run.train(1, 500)
    run.end("failed", 1, FAILURE)


def finished(run: PreparedRun) -> None:
    run.train(1, TOTAL)
    run.save(TOTAL, 10, "mika.safetensors")
    run.end("finished", 0)


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
async def test_requests_are_left_and_their_answers_shown(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    control_path = run.directory.control_path
    async with monitor(run) as pilot:
        await pilot.press("s")
        await says(pilot, "Save asked: after this step")
        await until(pilot, (control_path / "save").exists)
        run.save(501, 5, "mika-step00000501.safetensors")
        await says(pilot, "Save asked: saved mika-step00000501.safetensors (step 501)")
        await pilot.press("g")
        await until(pilot, (control_path / "sample").exists)
        run.sample(502, 5)
        await says(pilot, "Samples asked: drew samples/step00000502", "epoch 5, newest")


@pytest.mark.anyio
async def test_a_pause_says_what_it_keeps_and_ends(home: Path) -> None:
    run = PreparedRun(home)
    training(run)
    pause = run.directory.control_path / "pause"
    async with monitor(run) as pilot:
        await pilot.press("p")
        await says(pilot, "keeps the GPU's memory", "frees the GPU")
        await pilot.press("escape")
        assert not pause.exists()
        await pilot.press("p", "enter")
        await until(pilot, pause.exists)
        run.emit("paused", step=501)
        await says(pilot, "Pause asked: paused after step 501", "‖ paused", "p Go on")
        await pilot.press("p")
        await until(pilot, lambda: not pause.exists())
        run.emit("resumed")
        await says(pilot, "It goes on.", "► training", "p Pause")
        await pilot.press("p", "down", "enter")
        await until(pilot, (run.directory.control_path / "stop").exists)


@pytest.mark.anyio
async def test_a_stop_is_confirmed_and_a_kill_offered_only_later(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = PreparedRun(home)
    training(run)
    stop = run.directory.control_path / "stop"
    async with monitor(run) as pilot:
        await pilot.press("x")
        await says(pilot, "lora-wizard resume mika")
        await pilot.press("down", "enter")
        assert not stop.exists()
        await pilot.press("x", "enter")
        await until(pilot, stop.exists)
        await says(pilot, "Stop asked")
        monkeypatch.setattr("lora_wizard.tui.screens.run_questions._PATIENCE", 0.0)
        await pilot.press("x")
        await says(pilot, "Kill it", "finished files are not")
        await pilot.press("enter")
        run.emit("stopping", by="request")
        await says(pilot, "■ stopping")
        run.end("stopped", 75)
    async with monitor(run, live=False) as pilot:
        await says(pilot, "■ stopped", "r Resume", "Results")


@pytest.mark.anyio
async def test_an_ended_run_is_read_no_more_and_leads_to_its_results(home: Path) -> None:
    run = PreparedRun(home)
    finished(run)
    async with monitor(run, live=False) as pilot:
        await pilot.app.workers.wait_for_complete()
        for key in "sgpx":
            await pilot.press(key)
        assert not list(run.directory.control_path.iterdir())
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, ResultsScreen)


@pytest.mark.anyio
async def test_the_end_is_said_whatever_was_said_with_it(home: Path) -> None:
    run = PreparedRun(home)
    run.train(1, 100)
    async with AsyncExitStack() as stack:
        with run.live():
            app = WizardApp(TrainScreen(run.directory))
            pilot = await stack.enter_async_context(app.run_test(size=(80, 24)))
            await says(pilot, "► training")
            run.save(TOTAL, 10, "mika.safetensors")
            run.end("finished", 0)
        await says(pilot, "✓ finished", "Finished. Enter shows the results.")


@pytest.mark.anyio
async def test_a_run_that_cannot_be_resumed_says_why(home: Path) -> None:
    """The base model is not there: the job starts, fails, and the monitor shows it."""
    run = PreparedRun(home)
    failed(run)
    async with monitor(run, live=False) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: run.directory.record().attempts == 2)
        await until(pilot, lambda: not run.directory.is_live())
        await says(pilot, "✗ failed", "r Resume")
        assert FAILURE["title"] not in screen_text(pilot.app)


@pytest.mark.anyio
async def test_problems_stay_until_they_were_seen(home: Path) -> None:
    run = PreparedRun(home)
    caching(run)
    async with monitor(run) as pilot:
        await says(pilot, "! warning: 3 pictures are smaller")
        run.emit("problem", severity="warning", message="the disk is nearly full")
        await says(pilot, "! 1 of 2 warning: 3 pictures")
        await pilot.press("space")
        await says(pilot, "! warning: the disk is nearly full")
        await pilot.press("space")
        await pilot.pause()
        assert "warning" not in screen_text(pilot.app)


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
