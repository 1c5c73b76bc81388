"""How long it trains, as the screen tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from datasets import write_picture, write_pictures
from lora_wizard.core.schedule import Schedule
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.repeats import RepeatsScreen
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.text import SafeInput
from screens import SIZES, at_rest, check_snapshot, screen_text
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

SHAPES = (
    [(512, 512)] * 9 + [(640, 480)] * 7 + [(480, 640)] * 5 + [(900, 500)] * 4 + [(500, 900)] * 3
)


def holiday_pictures(folder: Path) -> None:
    for number, size in enumerate(SHAPES):
        write_picture(folder / f"{number:02}.png", size)
        (folder / f"{number:02}.txt").write_text("mika at the sea")


def draft_of(folder: Path, **values: Any) -> Draft:
    draft = Draft.new("face")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(folder))
    draft.put("samples.prompts", ["mika, a photo of a woman"])
    for key, value in values.items():
        draft.put(key.replace("__", "."), value)
    draft.step = "repeats"
    return draft


async def settled(app: WizardApp, pilot: Pilot[None]) -> RepeatsScreen:
    """Until what was typed last is counted and shown."""
    await counted(app, pilot)
    assert isinstance(app.screen, RepeatsScreen)
    return app.screen


async def counted(app: WizardApp, pilot: Pilot[None]) -> None:
    """Until no thread works and all is shown."""
    await at_rest(pilot)


def total(screen: RepeatsScreen) -> str:
    return str(screen.query_one("#total", Static).render())


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_numbers_of_a_set(home: Path, size: tuple[int, int]) -> None:
    holiday_pictures(home / "holiday")
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft_of(home / "holiday", dataset__repeats=10, training__batch_size=2))
        screen = await settled(app, pilot)
        check_snapshot(app, "repeats", home)
        assert app.assessment
        plan, config = app.assessment.plan, app.assessment.config
        assert plan
        assert config
        assert f"{Schedule.of(plan, config).total_steps:,} steps" in total(screen)
        await pilot.press("f3")
        await settled(app, pilot)
        assert total(screen).startswith("2,520 steps in 18 epochs")
        screen.query_one(OptionList).focus()
        await pilot.press("down", "down")
        await counted(app, pilot)
        check_snapshot(app, "repeats-aim", home)
        assert "25 to 150 uses per picture" in screen_text(app)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_folders_that_say_their_repeats(home: Path, size: tuple[int, int]) -> None:
    write_pictures(home / "set" / "20_mika", 6, "mika")
    write_pictures(home / "set" / "10_hat", 4, "hat")
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft_of(home / "set"))
        screen = await settled(app, pilot)
        check_snapshot(app, "repeats-folders", home)
        before = total(screen)
        await pilot.press("f7")
        await settled(app, pilot)
        check_snapshot(app, "repeats-concepts", home)
        assert total(screen) == before
        assert app.draft.value("dataset.concepts")[0]["repeats"] == 10
        await pilot.press("f8")
        await settled(app, pilot)
        assert app.draft.value("dataset.folder") == str(home / "set")
        assert not app.draft.is_set("dataset.concepts")


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_without_pictures_the_fields_are_there(home: Path, size: tuple[int, int]) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft_of(home / "nowhere"))
        await settled(app, pilot)
        check_snapshot(app, "repeats-no-pictures", home)
        await pilot.press("f3", "f5", "f6", "f7", "f8")


@pytest.mark.anyio
async def test_before_a_base_is_chosen(home: Path) -> None:
    holiday_pictures(home / "holiday")
    app = WizardApp()
    async with app.run_test(size=SIZES[0]) as pilot:
        app.begin(draft_of(home / "holiday", model__base="owner/not-here"))
        screen = await settled(app, pilot)
        assert "steps in" in total(screen)


@pytest.mark.anyio
async def test_what_is_typed_counts_at_once(home: Path) -> None:
    holiday_pictures(home / "holiday")
    app = WizardApp()
    async with app.run_test(size=SIZES[0]) as pilot:
        app.begin(draft_of(home / "holiday", training__batch_size=1, dataset__repeats=1))
        screen = await settled(app, pilot)
        assert total(screen).startswith("280 steps in 10 epochs")
        screen.query_one("#field-training-epochs Input").focus()
        await pilot.press("end", "backspace")
        await settled(app, pilot)
        assert total(screen).startswith("28 steps in 1 epoch")


@pytest.mark.anyio
async def test_an_aim_is_taken_over_and_put_back(home: Path) -> None:
    holiday_pictures(home / "holiday")
    app = WizardApp()
    async with app.run_test(size=SIZES[0]) as pilot:
        app.begin(draft_of(home / "holiday", dataset__repeats=1, training__batch_size=1))
        screen = await settled(app, pilot)
        screen.query_one("#wanted-steps").focus()
        await pilot.press("5", "6", "0")
        await counted(app, pilot)
        assert "enter sets epochs 20 -> 560 steps" in screen_text(app)
        await pilot.press("enter")
        await settled(app, pilot)
        assert total(screen).startswith("560 steps in 20 epochs")
        assert "F8 puts back epochs 10" in screen_text(app)
        await pilot.press("f8")
        screen = await settled(app, pilot)
        assert total(screen).startswith("280 steps in 10 epochs")
        await pilot.press("f6")
        await settled(app, pilot)
        assert app.draft.value("dataset.repeats") == 2


@pytest.mark.anyio
async def test_one_key_makes_it_as_long_and_leaves_files_to_choose_from(home: Path) -> None:
    holiday_pictures(home / "holiday")
    app = WizardApp()
    async with app.run_test(size=SIZES[0]) as pilot:
        app.begin(draft_of(home / "holiday", dataset__repeats=40, training__batch_size=1))
        await settled(app, pilot)
        await pilot.press("f3")
        screen = await settled(app, pilot)
        # Two epochs would do as well, and would be two files.
        assert app.draft.value("training.epochs") == 10
        assert total(screen).startswith("2,520 steps in 10 epochs")
        assert "✓ set: " in screen_text(app)
        assert "F8 puts back repeats 40" in screen_text(app)


@pytest.mark.anyio
async def test_one_concepts_repeats_are_typed(home: Path) -> None:
    write_pictures(home / "set" / "20_mika", 6, "mika")
    write_pictures(home / "set" / "10_hat", 4, "hat")
    app = WizardApp()
    async with app.run_test(size=SIZES[1]) as pilot:
        app.begin(draft_of(home / "set", training__batch_size=1, training__epochs=1))
        screen = await settled(app, pilot)
        await pilot.press("f7")
        await settled(app, pilot)
        assert screen.focused is screen.query("ConceptRepeats SafeInput").first()
        await pilot.press("end", "backspace", "backspace", "7")
        await settled(app, pilot)
        assert total(screen).startswith("148 steps in 1 epoch")
        assert app.draft.value("dataset.concepts")[0]["repeats"] == 7
        await pilot.press("x")
        await settled(app, pilot)
        assert 'must be a whole number from 1 to 10000, not "7x"' in screen_text(app)
        assert app.draft.value("dataset.concepts")[0]["repeats"] == 7
        copy = app.draft.path.with_name("again.json")
        copy.write_bytes(app.draft.path.read_bytes())
    again = WizardApp()
    async with again.run_test(size=SIZES[1]) as pilot:
        again.begin(Draft.load(copy))
        screen = await settled(again, pilot)
        fields = screen.query("ConceptRepeats SafeInput").results(SafeInput)
        assert [field.value for field in fields] == ["7x", "20"]
        assert 'not "7x"' in screen_text(again)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_far_too_many_steps_are_said_until_an_aim_mends_them(
    home: Path, size: tuple[int, int]
) -> None:
    write_pictures(home / "many", 60)
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft_of(home / "many", dataset__repeats=100, training__batch_size=2))
        await settled(app, pilot)
        assert "! 30,000 steps are 12 times the usual 2,500" in screen_text(app)
        await pilot.press("f3")
        await settled(app, pilot)
        assert "times the usual" not in screen_text(app)
