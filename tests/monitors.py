"""Runs in every state, and their monitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.train import TrainScreen
from monitored_runs import TOTAL, PreparedRun
from screens import screen_text, until
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
