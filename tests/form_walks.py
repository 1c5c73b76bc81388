"""A draft with pictures and a base model, and the app at one of its steps."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.step import StepScreen
from lora_wizard.tui.walk.draft import Draft
from PIL import Image
from screens import at_rest
from textual.pilot import Pilot


def ready_draft(home: Path, template: str = "face") -> Draft:
    """A draft that could be started: twelve pictures and the embedded base model."""
    pictures = home / "pictures"
    pictures.mkdir(exist_ok=True)
    for number in range(12):
        color = (number * 20, 30, 90)
        Image.new("RGB", (64 + 16 * (number % 3), 64), color).save(pictures / f"{number}.png")
        (pictures / f"{number}.txt").write_text(f"mika, drawing number {number}")
    draft = Draft.new(template)
    draft.put("dataset.folder", str(pictures))
    draft.put("dataset.resolution", 64)
    draft.put("dataset.bucket_step", 16)
    draft.put("dataset.repeats", 2)
    draft.put("model.base", "embedded:demo")
    draft.put("model.precision", "fp32")
    draft.put("captions.trigger_words", ["mika"])
    draft.note("class_word", "woman")
    return draft


@contextmanager
def disk_of(monkeypatch: pytest.MonkeyPatch, free: int = 80_000_000_000) -> Iterator[None]:
    """A disk with so much room, whatever the machine has."""
    with monkeypatch.context() as patched:
        usage = SimpleNamespace(total=2 * free, used=free, free=free)
        patched.setattr(shutil, "disk_usage", lambda path: usage)
        yield


@asynccontextmanager
async def at_step(
    draft: Draft, step: str, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[WizardApp, Pilot[None]]]:
    """The app, at rest, at a step of ``draft``."""
    draft.step = step
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft)
        await settled(app, pilot)
        yield app, pilot


async def settled(app: WizardApp, pilot: Pilot[None]) -> None:
    """Wait until the draft as it is now has been looked at, and nothing is under way."""
    await at_rest(pilot)
    assert app.assessment and app.assessment.snapshot == app.draft.snapshot()


def step_of(app: WizardApp) -> str:
    """The step on the screen."""
    assert isinstance(app.screen, StepScreen)
    return app.screen.step.name
