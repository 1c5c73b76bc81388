"""Class pictures in the walk: what they come to, drawn by the demo's base, then trained with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from datasets import write_pictures
from lora_wizard.core.run.control import kill
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.class_pictures import ClassPicturesScreen
from lora_wizard.tui.walk import class_pictures as drawn
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.widgets.fields import OptionField
from screens import SIZES, at_rest, check_snapshot, screen_text, until
from textual.pilot import Pilot

QUICK = {"steps": "2", "guidance": "2", "width": "64", "height": "64", "count": "3"}


@asynccontextmanager
async def class_pictures(
    home: Path,
    size: tuple[int, int] = (80, 24),
    base: str = "embedded:demo",
    typed: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[tuple[WizardApp, Pilot[Any]]]:
    """The screen, from the step of the pictures."""
    write_pictures(home / "mika", 5)
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        draft = Draft.new("face")
        draft.put("model.base", base)
        draft.put("dataset.folder", "mika")
        draft.put("dataset.repeats", 4)
        for key, text in typed.items():
            drawn.keep(draft, key, text)
        app.begin(draft)
        await at_rest(pilot)
        await pilot.press("f4")
        await at_rest(pilot)
        yield app, pilot


def live(app: WizardApp) -> bool:
    directory = drawn.directory(app.assessment)
    return directory is not None and directory.exists and directory.is_live()


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_what_it_comes_to(home: Path, size: tuple[int, int]) -> None:
    async with class_pictures(home, size) as (app, pilot):
        check_snapshot(app, "class-pictures", home)
        assert "An epoch uses 20" in screen_text(app)
        await pilot.press(*"cat", "enter", *"a cat")
        await at_rest(pilot)
        assert "1_cat" in screen_text(app)
        await pilot.press("escape", "f4")
        await at_rest(pilot)
        texts = {field.info.key: field.text for field in app.screen.query(OptionField)}
        assert (texts["class_word"], texts["prompt"]) == ("cat", "a cat"), "kept"
        assert drawn.texts(drafts()[0])["prompt"] == "a cat", "on the disk, too"


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_drawn_shown_and_trained_with(home: Path, size: tuple[int, int]) -> None:
    async with class_pictures(home, size, typed=QUICK) as (app, pilot):
        await pilot.press("f2")
        await until(pilot, lambda: "Done. The training uses them now." in screen_text(app))
        await at_rest(pilot)
        files = sorted((home / "mika-class" / "1_person").glob("*.png"))
        assert len(files) == 3
        assert "3 of 3 are there" in screen_text(app)
        if size[0] >= 100:
            assert "seed 44" in screen_text(app), "the newest, beside the form"
        assert app.draft.value("dataset.regularization_folder") == str(home / "mika-class")
        await pilot.press("escape")
        await at_rest(pilot)
        assert app.assessment and app.assessment.plan
        assert len(app.assessment.plan.regularization_samples) == 3


@pytest.mark.anyio
async def test_left_and_come_back_to_while_it_goes_on_then_stopped(home: Path) -> None:
    slow = {**QUICK, "steps": "1000"}
    async with class_pictures(home, typed=slow) as (app, pilot):
        await pilot.press("f2")
        await pilot.press("escape", "f4")
        await until(pilot, lambda: isinstance(app.screen, ClassPicturesScreen))
        await until(pilot, lambda: app.screen.has_class("-live"))
        await until(pilot, lambda: "drawing" in screen_text(app) or "░ 0 of 3" in screen_text(app))
        assert live(app)
        await pilot.press("f3")
        await until(pilot, lambda: "Stopped." in screen_text(app))
        await until(pilot, lambda: not live(app))
        assert not app.draft.value("dataset.regularization_folder")
        assert "0 of 3 are there" in screen_text(app)


@pytest.mark.anyio
async def test_a_killed_one_is_said_and_can_go_on(home: Path) -> None:
    slow = {**QUICK, "steps": "1000"}
    async with class_pictures(home, typed=slow) as (app, pilot):
        await pilot.press("f2")
        await until(pilot, lambda: live(app))
        directory = drawn.directory(app.assessment)
        assert directory is not None
        kill(directory)
        await until(pilot, lambda: "ended from outside" in screen_text(app))
        assert app.screen.check_action("draw", ())


@pytest.mark.anyio
async def test_what_is_in_the_way_is_said_before(home: Path) -> None:
    async with class_pictures(home, base="/nowhere/at/all") as (app, pilot):
        assert "The base model cannot draw yet" in screen_text(app)
        assert not app.screen.check_action("draw", ())
        await pilot.press("f2")
        assert not live(app)


@pytest.mark.anyio
async def test_a_wrong_number_is_said_beside_what_is_right(home: Path) -> None:
    async with class_pictures(home, typed={"steps": "0"}) as (app, _):
        assert "steps: must be a whole number from 1 to 1000" in screen_text(app)
        assert not app.screen.check_action("draw", ())


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_each_concept_is_drawn_by_its_own_class_prompt(
    home: Path, size: tuple[int, int]
) -> None:
    tables = []
    for name, number, prompt in (("mika", 3, "a woman"), ("rex", 2, "a dog"), ("sea", 2, "")):
        write_pictures(home / name, number)
        tables.append({"folder": str(home / name), "repeats": 2, "class_prompt": prompt})
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        draft = Draft.new("face")
        draft.put("model.base", "embedded:demo")
        draft.put("dataset.folder", "")
        draft.put("dataset.concepts", tables)
        for key, text in {**QUICK, "count": ""}.items():
            drawn.keep(draft, key, text)
        drawn.keep(draft, "class_word", "person")
        app.begin(draft)
        await at_rest(pilot)
        await pilot.press("f4")
        await at_rest(pilot)
        check_snapshot(app, "class-pictures-concepts", home)
        work = drawn.work_of(app.draft, app.assessment)
        orders = {order.folder.name: (order.count, order.prompt.prompt) for order in work.orders()}
        assert orders == {"1_a woman": (6, "a woman"), "1_a dog": (4, "a dog")}
        assert not any("class-word" in word for word in drawn.command(app.draft, work))
        if size[0] < 100:
            return
        await pilot.press("f2")
        await until(pilot, lambda: "Done. The training uses them now." in screen_text(app))
        made = sorted(path.parent.name for path in (home / "mika-class").rglob("*.png"))
        assert made == ["1_a dog"] * 4 + ["1_a woman"] * 6
