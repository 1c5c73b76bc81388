"""The line of keys at the bottom takes the mouse, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from form_walks import at_step, ready_draft, settled, step_of
from lora_wizard.tui.screens.explain import HelpScreen
from lora_wizard.tui.widgets.footer import Footer
from screens import screen_text
from textual.command import CommandPalette
from textual.events import MouseScrollDown, MouseScrollUp


def line_of(app: Any) -> str:
    return screen_text(app).splitlines()[-1]


@pytest.mark.anyio
async def test_a_click_on_a_key_presses_it(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters", (120, 40)) as (app, pilot):
        await pilot.click("Footer", offset=(line_of(app).index("Next"), 0))
        await settled(app, pilot)
        assert step_of(app) == "samples"
        await pilot.click("Footer", offset=(line_of(app).index("palette"), 0))
        await settled(app, pilot)
        assert isinstance(app.screen, CommandPalette)


@pytest.mark.anyio
async def test_keys_that_do_not_fit_come_with_the_wheel(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters", (60, 24)) as (app, pilot):
        footer = app.screen.query_one(Footer)
        before = line_of(app)
        assert "F1 Help" in before and "F4" not in before
        for event in [MouseScrollDown] * 20 + [MouseScrollUp] * 20:
            footer.post_message(
                event(footer, x=1, y=0, delta_x=0, delta_y=1, button=0, shift=False, meta=False,
                      ctrl=False)
            )  # fmt: skip
            await pilot.pause()
            if event is MouseScrollDown:
                scrolled = line_of(app)
        assert "F1 Help" in scrolled and "F4 All" in scrolled
        assert line_of(app) == before
        await pilot.click("Footer", offset=(before.index("F1"), 0))
        await settled(app, pilot)
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.anyio
async def test_the_mouse_over_a_key_says_what_it_does(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters", (120, 40)) as (app, pilot):
        footer = app.screen.query_one(Footer)
        await pilot.hover("Footer", offset=(line_of(app).index("All"), 0))
        assert footer.tooltip == "All settings"
        await pilot.hover("#asked")
        assert footer.tooltip is None
