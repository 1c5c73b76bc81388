"""The steps of the walk, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_walks import at_step, ready_draft, settled, step_of
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


@pytest.mark.anyio
async def test_what_is_found_out_while_a_screen_is_being_made_waits_for_it(home: Path) -> None:
    async with at_step(ready_draft(home), "dataset") as (app, pilot):
        found = app.assessment
        assert found
        for step in steps.STEPS:
            app.go(step.name)
            assert isinstance(app.screen, StepScreen) and not app.screen.is_mounted
            app._show_progress(1, 2)
            app._show_assessment(found)
            await settled(app, pilot)
            assert step_of(app) == step.name
