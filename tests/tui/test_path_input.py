"""The field for a path: what it completes, with which keys, and that it waits for nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from lora_wizard.tui.walk.paths import begun, list_entries, pictures_text
from lora_wizard.tui.widgets import path_input
from lora_wizard.tui.widgets.path_input import FOLDERS, PathInput
from screens import screen_text
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input


class Field(App[object]):
    def __init__(self, value: str, endings: tuple[str, ...] = FOLDERS) -> None:
        super().__init__()
        self.begun_with, self.endings = value, endings
        self.submitted = 0

    def compose(self) -> ComposeResult:
        yield PathInput(self.begun_with, endings=self.endings, counts=True, down_opens=True)
        yield Input(id="after")

    @property
    def path(self) -> PathInput:
        return self.query_one(PathInput)

    def on_input_submitted(self) -> None:
        self.submitted += 1


async def listed(pilot: Pilot[object]) -> None:
    """Until the threads have come back and the screen shows it."""
    for _ in range(3):
        for thread in threading.enumerate():
            if thread.name == "list-folder":
                thread.join(5)
        await pilot.pause()


@pytest.fixture
def tree(home: Path) -> Path:
    for name in ("holiday/one", "holiday/two", "home", ".hidden", "Hotel"):
        (home / name).mkdir(parents=True)
    (home / "horses.zip").touch()
    (home / "holiday" / "a.jpg").touch()
    return home


@pytest.mark.anyio
async def test_tab_takes_the_suggestion_and_then_moves_on(tree: Path) -> None:
    app = Field("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "o", "l")
        await listed(pilot)
        assert app.path.value == "hol"
        await pilot.press("tab")
        await listed(pilot)
        assert app.path.value == "holiday/" and app.path.has_focus
        await pilot.press("tab")
        assert not app.path.has_focus and app.path.value == "holiday/"
        assert not app.path.is_open


@pytest.mark.anyio
async def test_the_right_arrow_takes_it_too(tree: Path) -> None:
    app = Field("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "o", "m")
        await listed(pilot)
        await pilot.press("right")
        assert app.path.value == "home/"


@pytest.mark.anyio
async def test_down_and_enter_choose_from_the_list(tree: Path) -> None:
    app = Field("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "o")
        await listed(pilot)
        text = screen_text(app)
        assert "holiday/  1 picture" in text and "Hotel/" in text
        assert "hidden" not in text and "horses" not in text
        await pilot.press("down", "down", "enter")
        assert app.path.value == "home/"
        await listed(pilot)
        await pilot.press("enter")
        assert app.submitted == 1


@pytest.mark.anyio
async def test_escape_closes_the_list_and_keeps_the_text(tree: Path) -> None:
    app = Field("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h")
        await listed(pilot)
        assert app.path.is_open
        await pilot.press("escape")
        assert not app.path.is_open and app.path.value == "h"


@pytest.mark.anyio
async def test_files_are_offered_where_they_may_be_chosen(tree: Path) -> None:
    app = Field("~/hor", (".zip",))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("end", "down")
        await listed(pilot)
        await pilot.press("tab")
        assert app.path.value == "~/horses.zip"


@pytest.mark.anyio
async def test_a_folder_that_hangs_stalls_no_key(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def hangs(folder: Path, endings: tuple[str, ...]) -> object:
        answers.wait(30)
        return list_entries(folder, endings)

    monkeypatch.setattr(path_input, "list_entries", hangs)
    app = Field("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h", "o", "l", "tab")
        assert app.path.value == "hol" and not app.path.has_focus
        hanging = [item for item in threading.enumerate() if item.name == "list-folder"]
        assert len(hanging) == 1
        answers.set()
        await listed(pilot)


def test_matches_are_folders_first_whatever_the_case(tree: Path) -> None:
    entries = list_entries(tree, (".zip",))
    assert [item.text for item in entries.matching("ho", 9)[0]] == [
        "holiday/",
        "home/",
        "Hotel/",
        "horses.zip",
    ]
    assert [item.name for item in entries.matching("", 9)[0]][:1] == ["holiday"]
    assert entries.matching("", 2)[1] == 4
    assert [item.name for item in entries.matching(".", 9)[0]] == [".hidden"]


def test_names_that_no_toml_may_hold_are_not_offered(tree: Path) -> None:
    (tree / "ho\x1b[31m").mkdir()
    os.mkdir(os.fsencode(tree) + b"/ho\xff")  # noqa: PTH102
    assert [item.name for item in list_entries(tree, ()).matching("ho", 9)[0]] == [
        "holiday",
        "home",
        "Hotel",
    ]


def test_what_cannot_be_completed(tree: Path) -> None:
    assert begun("embedded:de", tree) is None
    assert begun("a\nb", tree) is None
    assert begun("~nobody-of-that-name/x", tree) is None
    assert begun("~/ho", tree / "elsewhere") is not None
    assert pictures_text(tree / "nowhere") == ""
