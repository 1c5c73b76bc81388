"""The mouse does what the keys do."""

from __future__ import annotations

from pathlib import Path

import pytest
from finished_run import make
from form_walks import at_step, ready_draft, settled, step_of
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.large_picture import LargePicture
from lora_wizard.tui.screens.results import ResultsScreen
from lora_wizard.tui.screens.step import StepScreen
from lora_wizard.tui.walk.steps import STEPS
from lora_wizard.tui.widgets.picture_grid import PictureGrid
from textual.widgets import OptionList


@pytest.mark.anyio
async def test_a_click_on_a_step_of_the_list_goes_there(home: Path) -> None:
    async with at_step(ready_draft(home), "output", (120, 40)) as (app, pilot):
        for place in (0, 3, len(STEPS) - 1):
            for line in (0, 1):
                # Padding around it, two lines for each.
                await pilot.click("#steps", offset=(5, 1 + place * 2 + line))
                await settled(app, pilot)
                assert step_of(app) == STEPS[place].name
        await pilot.click("#steps", offset=(5, 30))
        await settled(app, pilot)
        assert step_of(app) == STEPS[-1].name


@pytest.mark.anyio
async def test_buttons_fields_and_choices_take_clicks(home: Path) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "output") as (app, pilot):
        await pilot.click("#field-output-name Input")
        await pilot.press("end", "x")
        assert draft.value("output.name").endswith("x")
        choice = "#field-output-save_precision Choice"
        before = draft.value("output.save_precision")
        await pilot.click(choice, offset=(12, 0))
        await settled(app, pilot)
        assert draft.value("output.save_precision") not in (None, before)
        await pilot.click("#next")
        await settled(app, pilot)
        assert step_of(app) == "review"
        await pilot.click("#back")
        await settled(app, pilot)
        assert step_of(app) == "output"


@pytest.mark.anyio
async def test_a_click_on_a_problem_goes_where_it_is_mended(home: Path) -> None:
    draft = ready_draft(home)
    draft.enter("training.batch_size", "many")
    async with at_step(draft, "review") as (app, pilot):
        await pilot.click("#found", offset=(10, 0))
        await settled(app, pilot)
        assert step_of(app) == "repeats"
        assert app.focused is not None
        assert "field-training-batch_size" in {node.id for node in app.focused.ancestors}


@pytest.mark.anyio
async def test_a_click_on_a_picture_shows_it_large(home: Path) -> None:
    app = WizardApp(ResultsScreen(make(home / "out")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.click(PictureGrid, offset=(36, 3))
        await pilot.pause()
        assert isinstance(app.screen, LargePicture)
        await pilot.press("escape")
        assert app.screen.query_one(PictureGrid).index == 1


@pytest.mark.anyio
async def test_a_click_on_a_row_of_home_opens_it(home: Path) -> None:
    ready_draft(home)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        rows = app.screen.query_one("#drafts", OptionList)
        assert rows.option_count == 1
        await pilot.click("#drafts", offset=(5, 0))
        await settled(app, pilot)
        assert isinstance(app.screen, StepScreen)
