"""The Captions step as a person uses it: on the demo's pictures, with real files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lora_wizard.core.places import state_folder
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.captions import CaptionsScreen
from lora_wizard.tui.screens.write_captions import WriteCaptions
from lora_wizard.tui.walk.assessment import Assessor
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.fields import field_of
from screens import SIZES, at_rest, check_snapshot, screen_text
from textual.pilot import Pilot
from textual.widgets import Input, Static

PICTURES = Path(__file__).resolve().parents[2] / "templates/demo/pictures"


@pytest.fixture
def pictures(home: Path) -> Path:
    """The demo's pictures; of the third and the fourth, the captions are missing."""
    folder = home / "zibbu"
    shutil.copytree(PICTURES, folder)
    for name in ("zibbu-03", "zibbu-04"):
        (folder / f"{name}.txt").unlink()
    return folder


def draft_of(pictures: Path) -> Draft:
    draft = Draft.new("style")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(pictures))
    draft.put("dataset.regularization_folder", None)
    draft.put("captions.trigger_words", ["zibbu"])
    draft.put("dataset.resolution", 256)
    draft.step = "captions"
    return draft


async def opened(pilot: Pilot[None], draft: Draft) -> CaptionsScreen:
    app = pilot.app
    assert isinstance(app, WizardApp)
    app.begin(draft)
    await at_rest(pilot)
    assert isinstance(app.screen, CaptionsScreen)
    return app.screen


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_first_picture_beside_its_caption(
    pictures: Path, home: Path, size: tuple[int, int]
) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, draft_of(pictures))
        check_snapshot(app, "captions", home)


def said(screen: CaptionsScreen) -> str:
    return str(screen.query_one("#told", Static).render())


@pytest.mark.anyio
async def test_what_is_typed_is_saved_when_one_moves_on(pictures: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("f3")
        assert screen._picture == pictures / "zibbu-03.png"
        await pilot.press(*"a zibbu")
        assert not (pictures / "zibbu-03.txt").exists()
        await pilot.press("enter")
        await at_rest(pilot)
        assert (pictures / "zibbu-03.txt").read_text() == "a zibbu\n"
        assert "Saved zibbu-03.txt" in said(screen)
        assert screen._picture == pictures / "zibbu-04.png"
        await pilot.press(*"b", "pageup", "pageup", "ctrl+down")
        assert (pictures / "zibbu-04.txt").read_text() == "b\n"
        assert screen._picture == pictures / "zibbu-03.png"
        await pilot.press("f3")
        assert "Every picture has a caption" in said(screen)


@pytest.mark.anyio
async def test_undo_takes_back_typing_first_and_then_what_was_saved(pictures: Path) -> None:
    before = (pictures / "zibbu-01.txt").read_bytes()
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press(*"!?", "enter", *"xy", "ctrl+z")
        assert screen._editor.text == (pictures / "zibbu-02.txt").read_text().strip()
        assert (pictures / "zibbu-01.txt").read_bytes() != before
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert (pictures / "zibbu-01.txt").read_bytes() == before
        assert screen._picture == pictures / "zibbu-01.png"
        assert "Undone" in said(screen)


@pytest.mark.anyio
async def test_a_change_that_cannot_be_undone_is_told(pictures: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press(*"!?", "enter")
        for journal in (state_folder() / "captions").rglob("*.jsonl"):
            journal.write_text('{"title": "damaged", "files": 1}\n{}\n')
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "This change cannot be undone" in said(screen)


@pytest.mark.anyio
async def test_leaving_the_step_saves(pictures: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        await pilot.press(*" left", "ctrl+n")
        assert (pictures / "zibbu-01.txt").read_text().endswith(" left\n")
        app.go("captions")
        await at_rest(pilot)
        await pilot.press(*" again")
        await pilot.press("ctrl+q")
    assert (pictures / "zibbu-01.txt").read_text().endswith(" left again\n")


@pytest.mark.anyio
async def test_what_was_typed_when_the_connection_was_cut_is_there_again(pictures: Path) -> None:
    draft = draft_of(pictures)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft)
        await pilot.press("enter", *"cut")
        kept = draft.path.read_bytes()
    shutil.copytree(PICTURES, pictures, dirs_exist_ok=True)
    again = draft.path.with_name("again.json")
    again.write_bytes(kept)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, Draft.load(again))
        assert screen._picture == pictures / "zibbu-02.png"
        assert screen._editor.text.endswith("cut")


@pytest.mark.anyio
async def test_the_trained_text_follows_every_key(pictures: Path) -> None:
    (pictures / "zibbu-01.txt").write_text("")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        assert "Trained as: zibbu\n" in screen_text(app).replace(" \n", "\n")
        await pilot.press(*"red")
        await pilot.pause()
        assert "Trained as: zibbu, red" in screen_text(app)


@pytest.mark.anyio
async def test_the_filter_leaves_pictures_by_name_and_caption(pictures: Path) -> None:
    (pictures / "zibbu-07.txt").write_text("a Unicorn")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("f4", *"unic")
        await pilot.pause()
        assert screen._picture == pictures / "zibbu-07.png"
        assert "1 of 1" in screen_text(app)
        await pilot.press(*"zzz")
        await pilot.pause()
        assert "No picture has that" in screen_text(app)
        screen.query_one("#filter", Input).value = "-1"
        await pilot.press("enter")
        await pilot.pause()
        assert screen.focused is screen._editor
        assert "1 of 7" in screen_text(app)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_captions_from_names_are_shown_before_they_are_written(
    pictures: Path, home: Path, size: tuple[int, int]
) -> None:
    (pictures / "zibbu-04.png").rename(pictures / "blue_thing_04.png")
    before = sorted(path.name for path in pictures.iterdir())
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("f5")
        await at_rest(pilot)
        assert isinstance(app.screen, WriteCaptions)
        # No model is here: the cursor is on the captioner that needs none.
        check_snapshot(app, "captions-write", home)
        assert sorted(path.name for path in pictures.iterdir()) == before
        await pilot.press("f2")
        await at_rest(pilot)
        assert app.screen is screen
        assert (pictures / "blue_thing_04.txt").read_text() == "blue thing\n"
        assert (pictures / "zibbu-03.txt").read_text() == "zibbu\n"
        await pilot.press("ctrl+z")
        await at_rest(pilot)
        assert sorted(path.name for path in pictures.iterdir()) == before


@pytest.mark.anyio
async def test_trigger_words_go_into_every_file_and_out_again(pictures: Path) -> None:
    (pictures / "zibbu-01.txt").write_text("a circle")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        await pilot.press("f5")
        await at_rest(pilot)
        await pilot.press("end")
        await at_rest(pilot)
        await pilot.press("f2")
        await at_rest(pilot)
        assert (pictures / "zibbu-01.txt").read_text() == "zibbu, a circle\n"
        assert (pictures / "zibbu-02.txt").read_bytes() == (PICTURES / "zibbu-02.txt").read_bytes()
        await pilot.press("ctrl+z")
        await at_rest(pilot)
        assert (pictures / "zibbu-01.txt").read_text() == "a circle"


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_without_any_caption_what_happens_is_said(
    pictures: Path, home: Path, size: tuple[int, int]
) -> None:
    for path in pictures.glob("*.txt"):
        path.unlink()
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, draft_of(pictures))
        check_snapshot(app, "captions-none", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_without_pictures_the_way_there_is_said(home: Path, size: tuple[int, int]) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, draft_of(home / "nowhere"))
        check_snapshot(app, "captions-no-pictures", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_options_of_all_captions(
    pictures: Path, home: Path, size: tuple[int, int]
) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("f6")
        await pilot.pause()
        check_snapshot(app, "captions-options", home)
        await pilot.press("escape")
        assert app.screen is screen
        assert screen.focused is screen._editor


@pytest.mark.anyio
async def test_a_caption_that_cannot_be_written_stays_on_the_screen(pictures: Path) -> None:
    elsewhere = pictures.parent / "elsewhere.txt"
    elsewhere.write_text("not ours")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        (pictures / "zibbu-01.txt").unlink()
        (pictures / "zibbu-01.txt").symlink_to(elsewhere)
        await pilot.press(*"mine", "pagedown")
        assert screen._picture == pictures / "zibbu-01.png"
        assert screen._editor.text.endswith("mine")
        assert "link" in said(screen)
        assert elsewhere.read_text() == "not ours"


@pytest.mark.anyio
async def test_lines_stay_lines_where_they_are_alternatives(pictures: Path) -> None:
    (pictures / "zibbu-01.txt").write_text("one  way\nanother\n")
    (pictures / "zibbu-02.txt").write_text("one\n\nother\n")
    draft = draft_of(pictures)
    draft.put("captions.wildcards", True)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft)
        assert screen._editor.text == "one  way\nanother"
        await pilot.press(*"!", "enter")
        await at_rest(pilot)
        assert (pictures / "zibbu-01.txt").read_text() == "one  way\nanother!\n"
        await pilot.press("enter")
        await at_rest(pilot)
        assert (pictures / "zibbu-02.txt").read_text() == "one\n\nother\n", "nothing was typed"


@pytest.mark.anyio
async def test_a_caption_of_a_table_is_shown_and_kept_until_it_is_changed(pictures: Path) -> None:
    (pictures / "metadata.jsonl").write_text('{"file_name": "zibbu-03.png", "text": "a table"}')
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("pagedown", "pagedown")
        await at_rest(pilot)
        assert screen._picture == pictures / "zibbu-03.png"
        assert screen._editor.text == "a table"
        assert "Trained as: zibbu, a table" in screen_text(app)
        await pilot.press("pagedown", "pageup")
        await at_rest(pilot)
        assert not (pictures / "zibbu-03.txt").exists()
        await pilot.press(*" leg", "enter")
        await at_rest(pilot)
        assert (pictures / "zibbu-03.txt").read_text() == "a table leg\n"


@pytest.mark.anyio
async def test_a_caption_of_a_table_can_be_emptied(pictures: Path) -> None:
    (pictures / "metadata.jsonl").write_text('{"file_name": "zibbu-03.png", "text": "a table"}')
    draft, app = draft_of(pictures), WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft)
        await pilot.press("pagedown", "pagedown")
        await at_rest(pilot)
        assert screen._editor.text == "a table"
        await pilot.press(*["backspace"] * len("a table"), "enter")
        await at_rest(pilot)
        assert (pictures / "zibbu-03.txt").read_text().strip() == ""
        assert "Saved zibbu-03.txt" in screen_text(app)
    plan = Assessor().assess(draft.snapshot()).plan
    assert plan is not None
    (sample,) = [item for item in plan.samples if item.path.name == "zibbu-03.png"]
    assert sample.caption == ""


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["captions.weighted", "captions.trigger_words"])
async def test_an_option_is_gone_to_wherever_it_stands(pictures: Path, key: str) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        screen.focus_field(key)
        await pilot.pause()
        field = field_of(app.focused)
        assert field is not None and field.info.key == key
        assert field.region.height
