"""The steps of the walk, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.step import StepScreen
from lora_wizard.tui.walk import steps
from lora_wizard.tui.walk.draft import Draft, drafts


@pytest.mark.anyio
async def test_every_step_opens_and_the_draft_remembers_where(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.begin(Draft.new("person"))
        for step in steps.STEPS:
            await pilot.pause()
            assert isinstance(app.screen, StepScreen)
            assert app.screen.step is step
            await pilot.press("ctrl+n")
    assert drafts()[0].step == steps.STEPS[-1].name
