"""Findings on the screen, and what its keys leave out of the training: by the draft alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_step import AnyPilot, dataset_step
from lora_wizard.tui.screens.dataset import DatasetScreen
from lora_wizard.tui.screens.large_picture import LargePicture
from lora_wizard.tui.screens.look import LookScreen
from lora_wizard.tui.widgets.drawings import Frame, drawings
from lora_wizard.tui.widgets.picture_grid import PictureGrid
from photographs import photograph
from PIL import Image, ImageFilter
from screens import SIZES, at_rest, check_snapshot, screen_text


def raw_photographs(home: Path) -> Path:
    folder = home / "mika"
    folder.mkdir()
    for seed in range(4):
        photograph(seed).save(folder / f"{seed}.png")
    photograph(1).resize((400, 300)).save(folder / "1 again.jpg", quality=70)
    photograph(2).crop((12, 9, 640, 480)).save(folder / "2 cut.jpg", quality=80)
    photograph(5).filter(ImageFilter.GaussianBlur(8)).save(folder / "soft.png")
    Image.new("L", (640, 480), 0).save(folder / "0-mask.png")
    return folder


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


async def open_look(pilot: AnyPilot) -> LookScreen:
    await pilot.press("f2")
    await at_rest(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, LookScreen)
    return screen


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_findings_with_their_pictures(home: Path, size: tuple[int, int]) -> None:
    raw_photographs(home)
    async with dataset_step(size, dataset__folder="mika") as (app, pilot):
        await open_look(pilot)
        check_snapshot(app, "look", home)
        await pilot.press("n", "n", "x")
        await at_rest(pilot)
        check_snapshot(app, "look-left-out", home)


@pytest.mark.anyio
async def test_a_key_leaves_a_picture_out_and_another_takes_it_back(home: Path) -> None:
    folder = raw_photographs(home)
    before = files(folder)
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        screen = await open_look(pilot)
        assert screen.finding and screen.finding.kind == "near-duplicate"
        await pilot.press("enter", "right", "x")
        await at_rest(pilot)
        assert app.draft.value("dataset.exclude") == ["mika/1 again.jpg"]
        assert "left out" in screen_text(app)
        await pilot.press("x")
        assert not app.draft.value("dataset.exclude")
        await pilot.press("x", "n", "a")
        assert app.draft.value("dataset.exclude") == ["mika/1 again.jpg", "mika/2 cut.jpg"]
        await pilot.press("u")
        assert app.draft.value("dataset.exclude") == ["mika/1 again.jpg"]
        await pilot.press("u", "u", "u", "u")
        assert not app.draft.value("dataset.exclude")
        await pilot.press("a")
        await pilot.press("escape")
        await at_rest(pilot)
        assert isinstance(app.screen, DatasetScreen)
        assert "Found 6 pictures" in screen_text(app)
    assert files(folder) == before


@pytest.mark.anyio
async def test_a_key_leaves_out_what_is_spare_in_all_findings_of_a_kind(home: Path) -> None:
    raw_photographs(home)
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await open_look(pilot)
        await pilot.press("A")
        assert app.draft.value("dataset.exclude") == ["mika/1 again.jpg", "mika/2 cut.jpg"]
        await pilot.press("u")
        assert not app.draft.value("dataset.exclude")


@pytest.mark.anyio
async def test_no_key_leaves_anything_out_before_all_is_looked_at(home: Path) -> None:
    raw_photographs(home)
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        assert app.assessment and app.assessment.config
        screen = LookScreen(app.assessment.config)
        assert not any(screen.check_action(key, ()) for key in ("turn", "all", "all_of_kind"))
        screen = await open_look(pilot)
        assert screen.check_action("all", ()) and "do nothing" not in screen_text(app)
        assert "n/p Next" in screen_text(app)


@pytest.mark.anyio
async def test_a_set_without_findings_says_so(home: Path) -> None:
    (home / "mika").mkdir()
    for seed in range(3):
        photograph(seed).save(home / "mika" / f"{seed}.png")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await open_look(pilot)
        assert "3 pictures looked at: nothing to think about" in screen_text(app)
        await pilot.press("x", "a", "u", "n", "p", "z", "enter")
        await at_rest(pilot)
        assert not app.draft.value("dataset.exclude")


@pytest.mark.anyio
async def test_names_command_nothing_and_leaving_early_is_no_trouble(home: Path) -> None:
    folder = home / "mika"
    folder.mkdir()
    photograph(0).save(folder / "a\x1b[31m\u202e.png")
    photograph(0).resize((500, 375)).save(folder / "[red]b.png")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await pilot.press("f2", "escape")
        await at_rest(pilot)
        assert isinstance(app.screen, DatasetScreen)
        screen = await open_look(pilot)
        assert screen.query_one(PictureGrid).path
        assert "\x1b" not in screen_text(app) and "\u202e" not in screen_text(app)
        assert "[red]b.png" in screen_text(app)


@pytest.mark.anyio
async def test_a_mask_is_shown_beside_its_picture(home: Path) -> None:
    folder = raw_photographs(home)
    half = Image.new("L", (640, 480), 0)
    half.paste(255, (0, 0, 320, 480))
    half.save(folder / "1-mask.png")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await open_look(pilot)
        await pilot.press("enter", "enter")
        await at_rest(pilot)
        assert isinstance(app.screen, LargePicture)
        assert "1-mask.png" not in screen_text(app) and "m: its mask" in screen_text(app)
        await pilot.press("m")
        await at_rest(pilot)
        check_snapshot(app, "large-picture-mask", home)
        assert "1-mask.png" in screen_text(app)
        await pilot.press("m", "escape", "right", "enter", "m")
        await at_rest(pilot)
        assert "mask" not in screen_text(app)


@pytest.mark.anyio
async def test_an_alpha_channel_is_shown_beside_its_picture(home: Path) -> None:
    alpha = Image.new("L", (640, 480), 0)
    alpha.paste(255, (0, 0, 320, 480))
    path = home / "a.png"
    picture = Image.new("RGBA", (640, 480), (200, 30, 30, 255))
    picture.putalpha(alpha)
    picture.save(path)
    async with dataset_step() as (app, pilot):
        app.push_screen(LargePicture(path))
        await at_rest(pilot)
        assert "m: its alpha channel" in screen_text(app)
        await pilot.press("m")
        await at_rest(pilot)
        assert "a.png, alpha" in screen_text(app)
        colours = [
            segment.style.bgcolor.triplet
            for segment in drawings.draw(path, Frame(40, 20, is_alpha=True)).strips[2]
            if segment.style and segment.style.bgcolor
        ]
        assert colours[0] == (255, 255, 255), "opaque is white"
        assert colours[-1] == (0, 0, 0), "transparent is black"
        await pilot.press("escape")
        photograph(1).save(home / "b.png")
        app.push_screen(LargePicture(home / "b.png"))
        await at_rest(pilot)
        assert "alpha" not in screen_text(app)
