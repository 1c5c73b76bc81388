"""The table of tags as a person uses it: real files, keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.tags import TagsScreen
from lora_wizard.tui.walk.draft import Draft
from screens import SIZES, at_rest, check_snapshot
from tagged import tagged_pictures
from textual.pilot import Pilot


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
        await opened(pilot, draft_of(pictures))
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
