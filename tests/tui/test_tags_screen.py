"""The table of tags as a person uses it: real files, keys alone."""

from __future__ import annotations

from pathlib import Path
from unicodedata import category

import pytest
from hostile import TEXTS
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.captions import CaptionsScreen
from lora_wizard.tui.screens.tag_pictures import TagPictures
from lora_wizard.tui.screens.tags import TagsScreen
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.long_list import LongList
from screens import SIZES, at_rest, check_snapshot, screen_text
from tagged import tagged_pictures
from textual.pilot import Pilot
from textual.widgets import Static


@pytest.fixture
def pictures(home: Path) -> Path:
    return tagged_pictures(home / "zibbu")


def draft_of(pictures: Path) -> Draft:
    draft = Draft.new("character")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(pictures))
    draft.put("dataset.regularization_folder", None)
    draft.put("captions.trigger_words", ["zibbu"])
    draft.put("dataset.resolution", 256)
    draft.step = "captions"
    return draft


async def opened(pilot: Pilot[None], draft: Draft) -> TagsScreen:
    app = pilot.app
    assert isinstance(app, WizardApp)
    app.begin(draft)
    await at_rest(pilot)
    await pilot.press("f8")
    await at_rest(pilot)
    assert isinstance(app.screen, TagsScreen)
    return app.screen


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("*.txt"))]


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_table_says_what_to_prune_and_what_is_decided(
    pictures: Path, home: Path, size: tuple[int, int]
) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        check_snapshot(app, "tags", home)
        await pilot.press("p", "end", "r")
        await pilot.pause()
        await pilot.press("ctrl+u", *"red gown", "enter")
        await pilot.pause()
        await pilot.press("up", "k")
        await at_rest(pilot)
        check_snapshot(app, "tags-decided", home)
        await pilot.press("w")
        await at_rest(pilot)
        check_snapshot(app, "tags-write", home)
        await pilot.press("escape", "slash", *"hat", "enter", "enter")
        await at_rest(pilot)
        assert isinstance(app.screen, TagPictures)
        await pilot.press("down")
        await at_rest(pilot)
        check_snapshot(app, "tag-pictures", home)
        await pilot.press("escape", "escape")
        await at_rest(pilot)
        assert app.screen is screen
        assert screen._words and len(screen._words.rows) == 12


def said(screen: TagsScreen, name: str = "told") -> str:
    return str(screen.query_one(f"#{name}", Static).render())


@pytest.mark.anyio
async def test_nothing_is_written_before_it_is_wanted_and_then_it_comes_back(
    pictures: Path,
) -> None:
    before = texts(pictures)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        await pilot.press("space", "down", "down", "space", "w")
        await at_rest(pilot)
        assert texts(pictures) == before
        await pilot.press("escape", "w")
        await at_rest(pilot)
        await pilot.press("enter")
        await at_rest(pilot)
        assert "16 captions written" in said(screen)
        assert texts(pictures)[0] == "zibbu, Simple background, smile, outdoors, hat\n"
        assert "10 different tags" in said(screen, "title")
        await pilot.press("escape")
        await at_rest(pilot)
        assert isinstance(app.screen, CaptionsScreen)
        assert "zibbu, Simple background, smile" in screen_text(app)
        await pilot.press("f8")
        await at_rest(pilot)
        await pilot.press("ctrl+z")
        await at_rest(pilot)
        assert texts(pictures) == before
        assert "Undone: tags: without 1girl, blue_hair" in screen_text(app)


@pytest.mark.anyio
async def test_decisions_are_taken_back_one_by_one_and_rows_are_sorted(pictures: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft_of(pictures))
        assert screen._words
        await pilot.press("p", "down", "k")
        assert screen._words.summary() == "2 pruned"
        await pilot.press("home", "space")
        assert screen._words.summary() == "1 pruned"
        await pilot.press("u", "u")
        assert screen._words.summary() == "2 pruned"
        await pilot.press("u")
        assert screen._words.edits() == []
        await pilot.press("u")
        assert "Nothing is decided" in said(screen)
        await pilot.press("home", "down", "down", "space")
        assert "zibbu calls the subject, and stays" in said(screen)
        assert screen._words.edits() == []
        firsts = []
        for _ in range(3):
            await pilot.press("s")
            firsts.append([tag.name for tag in screen._words.rows[:2]])
        assert firsts == [["1girl", "^_^"], ["zibbu", "1girl"], ["1girl", "Simple background"]]


@pytest.mark.anyio
async def test_decisions_outlive_the_connection(pictures: Path) -> None:
    draft = draft_of(pictures)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft)
        await pilot.press("p", "o", "enter")
        await at_rest(pilot)
        app.go_home()
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, Draft.load(draft.path))
        assert "Decided: 2 pruned, underscores become spaces" in said(screen)
        await pilot.press("u")
        assert "Decided: 2 pruned." in said(screen)


@pytest.mark.anyio
async def test_what_was_changed_meanwhile_is_not_lost(pictures: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        await pilot.press("p")
        (pictures / "zibbu-01.txt").write_text("zibbu, 1girl, by hand\n")
        await pilot.press("w")
        await at_rest(pilot)
        await pilot.press("enter")
        await at_rest(pilot)
        assert texts(pictures)[0] == "zibbu, by hand\n"


@pytest.mark.anyio
async def test_all_captions_get_what_is_asked_for(pictures: Path) -> None:
    (pictures / "zibbu-05.txt").write_text("1girl, zibbu, hat, hat\n")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        await pilot.press("o", "end", "enter")
        await pilot.pause()
        await pilot.press("o", *["down"] * 3, "enter")
        await pilot.pause()
        await pilot.press(*"day", "enter")
        await pilot.pause()
        await pilot.press("w")
        await at_rest(pilot)
        await pilot.press("enter")
        await at_rest(pilot)
        assert texts(pictures)[4] == "zibbu, 1girl, hat, hat, day\n"
        assert all(
            text.startswith("zibbu, ") and text.endswith("day\n") for text in texts(pictures)
        )


@pytest.mark.anyio
async def test_hostile_tags_are_shown_escaped(pictures: Path) -> None:
    for number, text in enumerate(TEXTS, start=1):
        (pictures / f"zibbu-{number:02}.txt").write_text(text.replace("\x00", ""), newline="")
    app = WizardApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, draft_of(pictures))
        find = ["slash", *"zq", "enter"]
        for keys in (find, ["r"], ["escape", "enter"], ["escape", "space", "w"]):
            await pilot.press(*keys)
            await at_rest(pilot)
            shown = screen_text(app)
            assert "zq" in shown
            assert not {char for char in shown if category(char) in ("Cc", "Cf")} - {"\n"}


@pytest.mark.anyio
async def test_of_very_many_tags_only_those_in_sight_are_drawn(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = ", ".join(f"tag{number}" for number in range(3000))
    (pictures / "zibbu-07.txt").write_text(f"zibbu, {long}\n")
    draft = draft_of(pictures)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, draft)
        drawn: list[int] = []
        line = screen.line
        listed = screen.query_one(LongList)
        monkeypatch.setattr(listed, "_line", lambda index: drawn.append(index) or line(index))
        await pilot.press("end", "space", "pageup")
        await pilot.pause()
        assert listed.virtual_size.height > 3000
        assert 0 < len(drawn) < 200
        # The longest caption sets how much of each is trained.
        assert "zibbu-07.png" in said(screen, "tokens")
        assert "m: set it." in said(screen, "tokens")
        await pilot.press("m")
        await at_rest(pilot)
        assert draft.value("captions.max_tokens") == 225
        assert "m: set it" not in said(screen, "tokens")


@pytest.mark.anyio
async def test_sentences_are_said_to_be_sentences(pictures: Path, home: Path) -> None:
    for number, path in enumerate(sorted(pictures.glob("*.txt"))):
        path.write_text(f"zibbu creature that sits on the grass of a field number {number}, day\n")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, draft_of(pictures))
        check_snapshot(app, "tags-sentences", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_one_concept_after_the_other(home: Path, size: tuple[int, int]) -> None:
    for name in ("2_zibbu", "1_hats"):
        tagged_pictures(home / "set" / name)
    for path in (home / "set/1_hats").glob("*.txt"):
        path.write_text(path.read_text().replace("blue_hair", "red hat"))
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await opened(pilot, draft_of(home / "set"))
        assert "32 captions" in screen_text(app) and "red hat" in screen_text(app)
        await pilot.press("c")
        await at_rest(pilot)
        check_snapshot(app, "tags-concept", home)
        assert "hats: 16 captions" in screen_text(app) and "blue_hair" not in screen_text(app)
        await pilot.press("p", "c")
        await at_rest(pilot)
        assert "zibbu: 16 captions" in screen_text(app)
        assert "Decided" not in screen_text(app), "that was about the other"
        await pilot.press("c", "c")
        await at_rest(pilot)
        await pilot.press("w")
        await at_rest(pilot)
        await pilot.press("enter")
        await at_rest(pilot)
    assert not any("red hat" in text for text in texts(home / "set/1_hats"))
    assert sum("blue_hair" in text for text in texts(home / "set/2_zibbu")) == 15, "untouched"
    assert all("1girl" in text for text in texts(home / "set/2_zibbu"))
