"""The steps of the walk, one after the other."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from pathlib import Path

import pytest
from lora_wizard.core.config.config_problems import options
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk import steps
from lora_wizard.tui.walk.draft import Draft, drafts
from screens import SNAPSHOTS, at_rest, until
from textual._styles_cache import StylesCache
from textual.widget import Widget


@pytest.mark.anyio
async def test_every_step_opens_and_the_draft_remembers_where(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.begin(Draft.new("person"))
        for step in steps.STEPS:
            await until(pilot, lambda step=step: getattr(app.screen, "step", None) is step)
            await pilot.press("ctrl+n")
    assert drafts()[0].step == steps.STEPS[-1].name


@pytest.mark.anyio
async def test_closed_steps_are_forgotten(home: Path) -> None:
    app, opened = WizardApp(), []
    async with app.run_test(size=(80, 24)) as pilot:
        app.begin(Draft.new("demo"))
        for step in steps.STEPS * 2:
            app.go(step.name)
            await at_rest(pilot)
            opened.append(weakref.ref(app.screen))
        gc.collect()
        left = [screen() for screen in opened[:-1] if screen() is not None]
        # The last message that a screen has sent still knows it, until another one comes.
        assert len(left) <= 2, left
        kinds = Counter(map(type, gc.get_objects()))
        widgets = sum(count for kind, count in kinds.items() if issubclass(kind, Widget))
        assert kinds[StylesCache] <= widgets, "lines are kept of widgets that are gone"


def test_no_key_is_lost_from_the_footer_at_80_columns() -> None:
    snapshots = SNAPSHOTS.glob("*-80x24.txt")
    footers = {path.name: path.read_text().splitlines()[-1] for path in snapshots}
    whole = {name: line for name, line in footers.items() if "^p" in line}
    assert len(whole) > 40
    lost = [name for name, line in whole.items() if not ("^q Quit" in line and "F1 Help" in line)]
    assert not lost


def test_every_option_is_decided_in_one_step() -> None:
    asked = [info.key for step in steps.STEPS for info in step.options()]
    assert sorted(asked) == sorted(key for key in options() if "[]" not in key)
