"""The wizard at its first step, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk.draft import Draft
from screens import at_rest
from textual.pilot import Pilot

AnyPilot = Pilot[Any]


async def settle(pilot: AnyPilot) -> None:
    """Until the draft has been looked at and everything is drawn."""
    await at_rest(pilot)


@asynccontextmanager
async def dataset_step(
    size: tuple[int, int] = (80, 24), template: str = "face", **values: str
) -> AsyncIterator[tuple[WizardApp, AnyPilot]]:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        draft = Draft.new(template)
        draft.put("model.base", "embedded:demo")
        for key, value in values.items():
            draft.enter(key.replace("__", "."), value)
        app.begin(draft)
        await settle(pilot)
        yield app, pilot
