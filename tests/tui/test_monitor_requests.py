"""What is asked of a run from its monitor, and what it answers."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.ask import Ask
from lora_wizard.tui.screens.results import ResultsScreen
from lora_wizard.tui.screens.train import TrainScreen
from monitored_runs import TOTAL, PreparedRun
from monitors import FAILURE, caching, failed, finished, monitor, says, training
from screens import screen_text, until


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
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("enter")
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
