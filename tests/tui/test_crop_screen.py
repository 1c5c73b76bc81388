"""The frame over the picture goes where keys say, stays within it, and is what is cut."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from dataset_step import dataset_step
from lora_wizard.core.resize.frame import Target
from lora_wizard.core.resize.order import Order
from lora_wizard.tui.screens.crop_app import CropApp
from lora_wizard.tui.screens.crops import CropScreen
from lora_wizard.tui.screens.dataset import DatasetScreen
from photographs import photograph
from PIL import Image
from screens import SIZES, at_rest, check_snapshot, screen_text
from terminal import WIZARD, Terminal


def photographs(home: Path, number: int = 3) -> Path:
    folder = home / "mika"
    folder.mkdir()
    for seed in range(number):
        photograph(seed, (640, 480) if seed else (600, 400)).save(folder / f"{seed}.png")
    (folder / "1.txt").write_text("a caption")
    return folder


def crops(home: Path, folder: str = "mika-resized") -> dict[str, list[float]]:
    path = home / folder / "crops.json"
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())["pictures"]
    return {name: row["box"] for name, row in rows.items()}


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_frame_is_moved_and_the_copies_are_used(home: Path, size: tuple[int, int]) -> None:
    photographs(home)
    async with dataset_step(size, dataset__folder="mika") as (app, pilot):
        await pilot.press("f3")
        await at_rest(pilot)
        assert isinstance(app.screen, CropScreen)
        check_snapshot(app, "crop", home)
        await pilot.press("minus", "minus", "minus", "minus", "right", "right", "down")
        await at_rest(pilot)
        check_snapshot(app, "crop-moved", home)
        [box] = crops(home).values()
        await pilot.press("enter", "f5")
        await at_rest(pilot)
        check_snapshot(app, "crop-copied", home)
        table = json.loads((home / "mika-resized" / "resize.json").read_text())
        assert table["pictures"][0]["box"] == box and len(table["pictures"]) == 3
        assert (home / "mika-resized" / "1.txt").read_text() == "a caption"
        await pilot.press("f8")
        await at_rest(pilot)
        assert isinstance(app.screen, DatasetScreen)
        assert app.draft.value("dataset.folder") == str(home / "mika-resized")
        assert "Found 3 pictures" in screen_text(app)


@pytest.mark.anyio
async def test_the_copies_are_wanted_before_they_are_made(home: Path) -> None:
    photographs(home)
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await pilot.press("f3")
        await at_rest(pilot)
        await pilot.press("f8")
        assert "Nothing is copied yet: F5 copies all" in screen_text(app)
        await pilot.press("f5", "f8")
        await at_rest(pilot)
        if isinstance(app.screen, CropScreen):  # it was quicker than the second key
            await pilot.press("f8")
            await at_rest(pilot)
        assert isinstance(app.screen, DatasetScreen)
        assert app.draft.value("dataset.folder") == str(home / "mika-resized")


@pytest.mark.anyio
async def test_folders_within_folders_become_one(home: Path) -> None:
    folder = photographs(home)
    (folder / "more").mkdir()
    photograph(7).save(folder / "more" / "0.png")
    async with dataset_step(dataset__folder="mika", dataset__repeats="5") as (app, pilot):
        app.draft.put("dataset.exclude", ["mika/2.png"])
        await pilot.press("f8")
        await at_rest(pilot)
        assert "Found 3 pictures in 2 folders" in screen_text(app)
        await pilot.press("f3")
        await at_rest(pilot)
        await pilot.press("f5")
        await at_rest(pilot)
        await pilot.press("f8")
        await at_rest(pilot)
        assert app.draft.value("dataset.folder") == str(home / "mika-resized")
        assert not app.draft.value("dataset.concepts") and not app.draft.value("dataset.exclude")
        assert app.draft.value("dataset.repeats") == 5
        assert "Found 3 pictures in 1 folder" in screen_text(app)
        assert (home / "mika-resized" / "more - 0.png").exists()


@pytest.mark.anyio
async def test_the_frame_stays_within_the_picture_and_keeps_its_shape(home: Path) -> None:
    folder = photographs(home, 1)
    app = CropApp(Order(folder, home / "new", Target((512, 512))))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_rest(pilot)
        for keys in (["left"] * 8, ["minus"] * 3, ["up", "shift+right"], ["right"] * 9):
            await pilot.press(*keys)
        screen = app.screen
        assert isinstance(screen, CropScreen)
        random = Random(3)
        for _ in range(60):
            screen.action_shift(random.uniform(-0.4, 0.4), random.uniform(-0.4, 0.4))
            screen.action_grow(random.choice((0.5, 0.9, 1.1, 2.0)))
            left, top, right, bottom = crops(home, "new")["0.png"]
            assert 0 <= left < right <= 600 and 0 <= top < bottom <= 400
            assert right - left == pytest.approx(bottom - top, abs=0.05)
            assert right - left >= 15
        screen.action_grow(1000)
        left, top, right, bottom = crops(home, "new")["0.png"]
        assert (right - left, bottom - top) == (400, 400)
        await pilot.press("s", "c")
        await at_rest(pilot)
        await pilot.press("r")
        assert crops(home, "new") == {}
        await pilot.press("escape")
    assert app.is_done


@pytest.mark.anyio
async def test_a_new_folder_that_is_somebody_elses_is_said(home: Path) -> None:
    photographs(home)
    (home / "mika-resized").mkdir()
    (home / "mika-resized" / "mine.txt").write_text("x")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await pilot.press("f3")
        await at_rest(pilot)
        assert "not empty" in screen_text(app)
        await pilot.press("right", "plus", "enter", "f5", "s", "escape")
        await at_rest(pilot)
        assert isinstance(app.screen, DatasetScreen)
    assert [path.name for path in (home / "mika-resized").iterdir()] == ["mine.txt"]


@pytest.mark.anyio
async def test_what_is_left_out_is_not_copied_and_a_copy_of_it_goes(home: Path) -> None:
    photographs(home)
    new = home / "mika-resized"
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        await pilot.press("f3")
        await at_rest(pilot)
        await pilot.press("f5")
        await at_rest(pilot)
        await pilot.press("escape")
        assert {path.name for path in new.glob("*.png")} == {"0.png", "1.png", "2.png"}
        app.draft.put("dataset.exclude", ["mika/2.png"])
        app.touch()
        await at_rest(pilot)
        await pilot.press("f3")
        await at_rest(pilot)
        assert "1 of 2" in screen_text(app)
        await pilot.press("f5")
        await at_rest(pilot)
        assert {path.name for path in new.glob("*.png")} == {"0.png", "1.png"}
    assert len(list((home / "mika").glob("*.png"))) == 3


def test_by_hand_on_a_terminal_and_then_the_copies(home: Path) -> None:
    photographs(home)
    words = ["resize", str(home / "mika"), "--to", "256", "--by-hand", "--into", str(home / "new")]
    terminal = Terminal([*WIZARD, *words])
    try:
        terminal.wait_for("1 of 3")
        terminal.press("\x1b[C")
        terminal.wait_for("by hand")
        terminal.press("\r")
        terminal.wait_for("2 of 3")
        terminal.press("\x1b")
        assert terminal.read_to_the_end() == 0
        assert "3 copies made" in terminal.text
    finally:
        terminal.kill()
    assert Image.open(home / "new" / "0.png").size == (256, 256)
    assert list(crops(home, "new")) == ["0.png"]
