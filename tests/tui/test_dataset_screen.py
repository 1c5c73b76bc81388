"""The step where the pictures are given: its states, and what its keys do to the draft."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from dataset_step import dataset_step, settle
from datasets import write_picture, write_pictures
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.dataset import DatasetScreen
from lora_wizard.tui.screens.large_picture import LargePicture
from lora_wizard.tui.screens.preparing import KEYS
from lora_wizard.tui.walk.draft import drafts
from lora_wizard.tui.widgets.fields import OptionField
from lora_wizard.tui.widgets.findings import Findings
from lora_wizard.tui.widgets.path_input import PathInput
from lora_wizard.tui.widgets.picture_grid import PictureGrid
from lora_wizard.tui.widgets.unpacking import Unpacking
from screens import SIZES, at_rest, check_snapshot, screen_text


def flat_with_problems(home: Path) -> None:
    for number in range(4):
        write_picture(home / "mika" / f"{number}.jpg", (640 + 64 * number, 512))
    (home / "mika" / "0.txt").write_text("a woman")
    (home / "mika" / "bad.png").write_bytes(b"not a picture")


def kohya(home: Path) -> None:
    write_pictures(home / "set" / "10_mika woman", 3, "mika")
    write_pictures(home / "set" / "2_rest", 4, "rest")
    write_pictures(home / "reg" / "1_woman", 2)


def pack(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for number in range(3):
            picture = write_picture(path.parent / "loose.jpg", (512, 512))
            made.write(picture, f"mika/{number}.jpg")
            picture.unlink()
    return path


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_at_first_it_only_asks_where_they_are(
    home: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "9.9.9.9 50000 8.8.4.4 2222")
    monkeypatch.setenv("USER", "root")
    async with dataset_step(size) as (app, _):
        check_snapshot(app, "dataset-empty", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_flat_folder_with_problems(home: Path, size: tuple[int, int]) -> None:
    flat_with_problems(home)
    async with dataset_step(size, dataset__folder="mika") as (app, pilot):
        check_snapshot(app, "dataset-problems", home)
        await pilot.press("f8")
        await settle(pilot)
        assert app.draft.value("dataset.exclude") == ["mika/bad.png"]
        check_snapshot(app, "dataset-flat", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_of_numbered_folders(home: Path, size: tuple[int, int]) -> None:
    kohya(home)
    options = {"dataset__folder": "set", "dataset__regularization_folder": "reg"}
    async with dataset_step(size, **options) as (app, _):
        check_snapshot(app, "dataset-kohya", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_folder_that_is_one_too_high(home: Path, size: tuple[int, int]) -> None:
    kohya(home)
    async with dataset_step(size, dataset__folder=".") as (app, pilot):
        check_snapshot(app, "dataset-too-high", home)
        await pilot.press("f8")
        await settle(pilot)
        assert app.draft.value("dataset.folder") == str(home / "set")
        assert app.draft.value("dataset.regularization_folder") == str(home / "reg")
        assert isinstance(app.screen, DatasetScreen) and app.screen.has_class("-found")


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_reading_many_pictures_is_told(home: Path, size: tuple[int, int]) -> None:
    async with dataset_step(size, dataset__folder="mika") as (app, _):
        assert isinstance(app.screen, DatasetScreen)
        app.screen.show_progress(512, 10_000)
        await _.pause()
        assert "Reading pictures: 512 of 10000" in screen_text(app)
        check_snapshot(app, "dataset-reading", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_zip_is_unpacked_by_one_key(home: Path, size: tuple[int, int]) -> None:
    pack(home / "mika.zip")
    async with dataset_step(size, dataset__folder="mika.zip") as (app, pilot):
        check_snapshot(app, "dataset-zip", home)
        await pilot.press("f8")
        await settle(pilot)
        await settle(pilot)
        assert app.draft.value("dataset.folder") == str(home / "mika")
        assert "Found 3 pictures" in screen_text(app)
        assert drafts()[0].value("dataset.folder") == str(home / "mika")


@pytest.mark.anyio
async def test_half_a_zip_says_so_until_it_is_whole(home: Path) -> None:
    whole = pack(home / "mika.zip").read_bytes()
    (home / "mika.zip").write_bytes(whole[:900])
    async with dataset_step(dataset__folder="mika.zip") as (app, pilot):
        assert "still uploading or was cut off" in screen_text(app)
        await pilot.press("f8")
        (home / "mika.zip").write_bytes(whole)
        await pilot.press("f5")
        await settle(pilot)
        assert app.screen.query_one(Unpacking).is_ready


@pytest.mark.anyio
async def test_plain_folders_become_concepts_and_their_repeats_turn(home: Path) -> None:
    write_pictures(home / "top" / "cat", 2, "x")
    write_pictures(home / "top" / "dog", 2, "x")
    async with dataset_step(dataset__folder="top") as (app, pilot):
        repeats = app.draft.value("dataset.repeats")
        await pilot.press("f8")
        await settle(pilot)
        assert not app.draft.is_set("dataset.repeats"), "each folder has its own now"
        names = [Path(table["folder"]).name for table in app.draft.value("dataset.concepts")]
        assert names == ["cat", "dog"] and app.draft.value("dataset.folder") == ""
        await pilot.press("tab", "down", "plus", "plus", "up", "minus")
        await settle(pilot)
        tables = app.draft.value("dataset.concepts")
        assert [table["repeats"] for table in tables] == [repeats - 1, repeats + 2]
        await pilot.press("delete")
        await settle(pilot)
        assert [Path(item["folder"]).name for item in app.draft.value("dataset.concepts")] == [
            "dog"
        ]


@pytest.mark.anyio
async def test_an_upload_that_goes_on_is_counted_again(home: Path) -> None:
    write_pictures(home / "up", 2, "x")
    async with dataset_step(dataset__folder="up") as (app, pilot):
        assert "Found 2 pictures" in screen_text(app)
        write_pictures(home / "up", 5, "x")
        await pilot.press("f5")
        await settle(pilot)
        assert "Found 5 pictures" in screen_text(app) and "+3 since" in screen_text(app)


@pytest.mark.anyio
async def test_the_demo_pictures_and_a_trigger_word_by_keyboard(home: Path) -> None:
    async with dataset_step() as (app, pilot):
        await pilot.press("tab", "enter")
        await settle(pilot)
        assert app.draft.value("dataset.folder") == "embedded:demo/pictures"
        screen = app.screen
        screen.query_one("#take-trigger").focus()
        await pilot.press("enter")
        await settle(pilot)
        [word] = app.draft.value("captions.trigger_words")
        assert word.endswith("wx")


@pytest.mark.anyio
async def test_the_kind_of_subject_only_proposes(home: Path) -> None:
    write_pictures(home / "mika", 2, "x")
    async with dataset_step(dataset__folder="mika", network__rank="7") as (app, pilot):
        app.screen.query_one("SubjectPanel Choice").focus()
        await pilot.press("s")
        await settle(pilot)
        assert app.draft.fact("subject") == "style" and app.draft.template == "face"
        assert app.draft.fact("class_word") == "style"
        await pilot.press("tab", "enter")
        await settle(pilot)
        assert app.draft.template == "style" and app.draft.value("network.rank") == 7
        assert app.draft.value("dataset.folder") == "mika"


@pytest.mark.anyio
async def test_example_folders_of_a_preset_are_not_errors(home: Path) -> None:
    async with dataset_step(template="person") as (app, _):
        assert app.draft.value("dataset.regularization_folder") == ""
        assert app.screen.query_one(Findings).first is None


@pytest.mark.anyio
async def test_hostile_names_command_nothing(home: Path) -> None:
    folder = home / "a[red]b"
    write_picture(folder / "\x1b[31m\u202ex.png")
    (folder / "b\x1b[2J.png").write_bytes(b"")
    async with dataset_step(dataset__folder="a[red]b") as (app, pilot):
        assert app.screen.query_one(PathInput).value == "a[red]b"
        text = screen_text(app)
        assert "\x1b" not in text and "\\x1b[2J.png" in text
        await pilot.press("f8")
        await settle(pilot)
        assert "\x1b" not in screen_text(app) and "\u202e" not in screen_text(app)


def concept(app: WizardApp, folder: str) -> dict[str, Any]:
    tables = app.draft.value("dataset.concepts")
    return next((item for item in tables if Path(item["folder"]).name == folder), {})


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_words_of_a_folder_by_keyboard(home: Path, size: tuple[int, int]) -> None:
    kohya(home)
    async with dataset_step(size, dataset__folder="set") as (app, pilot):
        app.screen.query_one("ConceptTable OptionList").focus()
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot)
        check_snapshot(app, "dataset-concept", home)
        await pilot.press("enter", *"mika", "comma", *"hat", "enter", *"m, [filewords]", "enter")
        await pilot.press(*"a woman", "enter", *"mika", "enter")
        await settle(pilot)
        assert concept(app, "10_mika woman") == {
            "folder": str(home / "set" / "10_mika woman"),
            "repeats": 10,
            "name": "mika woman",
            "trigger_words": ["mika", "hat"],
            "prompt": "m, [filewords]",
            "class_prompt": "a woman",
            "sample_prompt": "mika",
        }
        assert isinstance(app.screen, DatasetScreen)
        assert not app.screen.query_one("ConceptTable OptionList").has_focus, "enter goes on"
        assert app.assessment and app.assessment.plan
        sample = app.assessment.plan.samples[0]
        assert (sample.prompt, sample.trigger_words) == ("m, [filewords]", ("mika", "hat"))
        app.screen.query_one("ConceptTable OptionList").focus()
        await pilot.pause()
        await pilot.press("e")
        await settle(pilot)
        fields = {
            item.info.key.removeprefix("dataset.concepts[]."): item.text
            for item in app.screen.query(OptionField)
        }
        assert fields["prompt"] == "m, [filewords]", "shown again"
        await pilot.press("down", *["backspace"] * 9, "escape")
        await settle(pilot)
        assert "trigger_words" not in concept(app, "10_mika woman"), "emptied, none of its own"


@pytest.mark.anyio
async def test_a_folder_alone_is_passed_by_enter_and_opened_by_e(home: Path) -> None:
    write_pictures(home / "mika", 3, "mika")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        app.screen.query_one("ConceptTable OptionList").focus()
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DatasetScreen)
        assert not app.screen.query_one("ConceptTable OptionList").has_focus
        app.screen.query_one("ConceptTable OptionList").focus()
        await pilot.pause()
        await pilot.press("e", "escape")
        await settle(pilot)
        assert app.draft.value("dataset.folder") == "mika", "looking changes nothing"
        assert not app.draft.value("dataset.concepts")
        await pilot.press("e", "tab", "tab", *"m", "escape")
        await settle(pilot)
        assert concept(app, "mika")["prompt"] == "m"
        assert app.draft.value("dataset.folder") == ""


@pytest.mark.anyio
async def test_a_picture_in_all_of_the_terminal(home: Path) -> None:
    write_pictures(home / "mika", 3, "mika")
    async with dataset_step(dataset__folder="mika") as (app, pilot):
        app.screen.query_one(PictureGrid).focus()
        await pilot.pause()
        await pilot.press("right", "enter")
        await settle(pilot)
        assert isinstance(app.screen, LargePicture)
        assert "01.png" in screen_text(app)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_what_can_be_done_with_the_pictures_is_said(
    home: Path, size: tuple[int, int]
) -> None:
    write_pictures(home / "mika", 3)
    async with dataset_step(size, dataset__folder="mika") as (app, pilot):
        assert KEYS in screen_text(app)
        await pilot.press("f7", *"zibbu")
        await at_rest(pilot)
        assert app.draft.value("captions.trigger_words") == ["zibbu"]
        assert KEYS in screen_text(app)
    async with dataset_step(size) as (app, pilot):
        await pilot.press("f7")
        assert KEYS not in screen_text(app)
