"""Whoever answers after the wizard was left: nobody hears it, and nothing breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from form_walks import ready_draft
from lora_wizard.tui.app import WizardApp
from screens import at_rest

pytestmark = pytest.mark.anyio


async def opened(home: Path) -> WizardApp:
    app = WizardApp()
    draft = ready_draft(home)
    draft.step = "captions"
    async with app.run_test() as pilot:
        app.begin(draft)
        await at_rest(pilot)
        assert app.assessment
        # As ctrl+n and ctrl+q do when they are pressed at once.
        app.go("samples")
        app.exit()
    return app


async def test_a_screen_that_came_too_late_is_taken_down_in_peace(home: Path) -> None:
    app = await opened(home)
    assert not app.crash


async def test_what_a_thread_found_too_late_is_dropped(home: Path) -> None:
    app = WizardApp()
    answers = 0

    async def answer() -> None:
        nonlocal answers
        while app.assessing.latest:
            app.assessing.tell_progress(1, 2)
            app.assessing.take(app.assessing.latest)
            answers += 1
            await asyncio.sleep(0)

    draft = ready_draft(home)
    draft.step = "captions"
    async with app.run_test() as pilot:
        app.begin(draft)
        await at_rest(pilot)
        late = asyncio.create_task(answer())
        await pilot.pause()
    app.assessing.latest = None
    await late
    assert answers and not app.crash
