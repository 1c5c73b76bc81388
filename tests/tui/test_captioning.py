"""Captioning by a model in the walk: a real job of the toy captioner, watched, left, ended, killed,
taken back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import toy_captioner
from lora_wizard.captioners.job.task import directory_of
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run import control
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.captions import CaptionsScreen
from lora_wizard.tui.screens.write_captions import WriteCaptions
from lora_wizard.tui.walk.captioning import Settings
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.walk.task_watch import TaskNews
from lora_wizard.tui.widgets.fields import OptionField
from lora_wizard.tui.widgets.picture import Picture
from lora_wizard.tui.widgets.task_pane import TaskPane
from PIL import Image
from plain_person import is_plain, talk
from screens import SIZES, at_rest, check_snapshot, screen_text, until
from textual.pilot import Pilot

SLOW = {"seconds": "0.3"}


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Six red pictures, of which the first has a caption; no job about them outlives the test."""
    toy_captioner.install(home, monkeypatch)
    place = home / "mika"
    place.mkdir()
    for number in range(6):
        Image.new("RGB", (64, 64), (255, 10 * number, 0)).save(place / f"{number}.png")
    (place / "0.txt").write_text("mine")
    yield place
    with suppress(WizardError):
        control.kill(directory_of(place))


def draft_of(folder: Path, **options: str) -> Draft:
    draft = Draft.new("face")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(folder))
    draft.put("captions.trigger_words", ["mika"])
    draft.step = "captions"
    settings = Settings(draft, None)
    settings.source = "toy"
    for key, text in options.items():
        settings.keep(toy_captioner.SPEC, key, text)
    return draft


@asynccontextmanager
async def captioners(
    draft: Draft, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[WizardApp, Pilot[Any]]]:
    """The screen, from the step of the captions."""
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        app.begin(draft)
        await at_rest(pilot)
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, WriteCaptions))
        yield app, pilot


def shot(app: WizardApp, name: str) -> None:
    if where := os.environ.get("SHOTS"):
        Path(where, f"{name}-{app.size.width}.svg").write_text(app.export_screenshot())


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_what_a_captioner_would_do(folder: Path, home: Path, size: tuple[int, int]) -> None:
    async with captioners(draft_of(folder), size) as (app, pilot):
        await at_rest(pilot)
        shot(app, "ask")
        check_snapshot(app, "captioners", home)
        await pilot.press("enter")
        await at_rest(pilot)
        shot(app, "form")
        check_snapshot(app, "captioners-form", home)
        # Enter goes on from field to field, also from one that is typed into.
        await pilot.press("enter", "enter", *"4", "enter", *"bold")
        await at_rest(pilot)
        texts = [field.text for field in app.screen.query(OptionField)]
        assert texts[1:3] == ["4", "bold"]


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_captioned_and_taken_back(folder: Path, home: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", (64, 64), toy_captioner.GREY).save(folder / "6.png")
    async with captioners(draft_of(folder, batch_size="4", most="3"), size) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        await at_rest(pilot)
        assert all(worker.is_finished for worker in app.workers), "nothing is asked any more"
        shot(app, "done")
        check_snapshot(app, "captioners-done", home)
        assert (folder / "0.txt").read_text() == "mine"
        assert (folder / "1.txt").read_text() == "mika, plain colour 255 10 0\n"
        assert not (folder / "6.txt").exists()
        await until(pilot, lambda: app.screen.check_action("undo", ()))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "5 captions as before" in screen_text(app))
        assert sorted(path.name for path in folder.glob("*.txt")) == ["0.txt"]


@pytest.mark.anyio
async def test_the_captions_are_shown_in_their_step_afterwards(folder: Path) -> None:
    async with captioners(draft_of(folder)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        await pilot.press("escape")
        await at_rest(pilot)
        assert isinstance(app.screen, CaptionsScreen)
        await pilot.press("pagedown")
        await at_rest(pilot)
        assert "mika, plain colour 255 10 0" in screen_text(app)
        assert "All 6 pictures have a caption." in screen_text(app)
        await pilot.press("ctrl+z")
        await at_rest(pilot)
        assert "Undone: captions of Colours" in screen_text(app)
        assert [path.name for path in folder.glob("*.txt")] == ["0.txt"]


@pytest.mark.anyio
async def test_left_and_come_back_to_while_it_goes_on_then_stopped_and_gone_on_with(
    folder: Path,
) -> None:
    async with captioners(draft_of(folder, **SLOW)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await pilot.press("escape")
        await until(pilot, lambda: "A captioner writes" in screen_text(app))
        await pilot.press("ctrl+z")
        assert "F3 there ends it" in screen_text(app)
        await pilot.press("f5")
        await until(pilot, lambda: "plain colour" in screen_text(app))
        await pilot.press("f3")
        await until(pilot, lambda: "Stopped." in screen_text(app))
        await at_rest(pilot)
        found = len(list(folder.glob("*.txt"))) - 1
        assert 0 < found < 5, "what was found is written"
        assert f"{5 - found} picture" in screen_text(app)
        assert "Go on" in screen_text(app)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        assert len((folder.parent / "asked").read_text().splitlines()) == 5, "none asked twice"
        assert len(list(folder.glob("*.txt"))) == 6


@pytest.mark.anyio
async def test_the_step_tells_when_it_ends(folder: Path) -> None:
    async with captioners(draft_of(folder, **SLOW)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await pilot.press("escape", "pagedown")
        await until(pilot, lambda: "Trained as: mika\n" in screen_text(app))
        await until(pilot, lambda: "The captioner has ended" in screen_text(app))
        await at_rest(pilot)
        assert not app.screen.query(TaskPane)
        # Where there was none when the picture was opened.
        assert "mika, plain colour 255 10 0" in screen_text(app)


@pytest.mark.anyio
async def test_the_wizard_closed_and_opened_again_finds_it(folder: Path) -> None:
    async with captioners(draft_of(folder, **SLOW)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, directory_of(folder).is_live)
        await pilot.press("ctrl+q")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.begin(drafts()[0])
        await until(pilot, lambda: "A captioner writes" in screen_text(app))
        await pilot.press("f5")
        await until(pilot, lambda: app.screen.has_class("-live"))
        await until(pilot, lambda: "Done. 5 captions written." in screen_text(app))
    assert len(list(folder.glob("*.txt"))) == 6


@pytest.mark.anyio
async def test_a_killed_one_is_said_and_goes_on(folder: Path) -> None:
    async with captioners(draft_of(folder, **SLOW)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "plain colour" in screen_text(app))
        control.kill(directory_of(folder))
        await until(pilot, lambda: "ended from outside" in screen_text(app))
        await at_rest(pilot)
        assert "Go on" in screen_text(app)
        assert [path.name for path in folder.glob("*.txt")] == ["0.txt"]
        await pilot.press("f2")
        await until(pilot, lambda: "Done. 5 captions written." in screen_text(app))
        assert len((folder.parent / "asked").read_text().splitlines()) <= 6


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_what_is_missing_is_said_with_the_command_that_brings_it(
    folder: Path, home: Path, size: tuple[int, int]
) -> None:
    async with captioners(draft_of(folder, model="toys/absent"), size) as (app, pilot):
        await pilot.press("enter")
        await at_rest(pilot)
        shot(app, "missing")
        check_snapshot(app, "captioners-missing", home)
        assert not app.screen.check_action("start", ())
        await pilot.press("f6")
        assert app.clipboard == "toys download && pip install paint"
        await pilot.press("f2")
        assert not directory_of(folder).exists


@pytest.mark.anyio
async def test_what_is_typed_is_kept_and_checked_beside_its_field(folder: Path) -> None:
    async with captioners(draft_of(folder)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("enter", "right", "tab", "end", *"a ", "tab", *"0")
        await at_rest(pilot)
        assert "all: what is there is replaced" in screen_text(app)
        await pilot.press("end", "backspace", "backspace", *"0")
        await at_rest(pilot)
        assert "must be a whole number from 1 to 256" in screen_text(app)
        assert not app.screen.check_action("start", ())
        await pilot.press("backspace", *"8")
        await at_rest(pilot)
        assert "Colours would look at 6 pictures." in screen_text(app)
        await pilot.press("escape", "f5")
        await at_rest(pilot)
        texts = {field.info.key: field.text for field in app.screen.query(OptionField)}
        assert (texts["prefix"], texts["batch_size"]) == ("mika, a ", "8")
        settings = Settings(drafts()[0], app.assessment)
        assert settings.mode == "overwrite", "on the disk, too"
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        assert (folder / "0.txt").read_text() == "mika, a plain colour 255 0 0\n"
        await until(pilot, lambda: app.screen.check_action("undo", ()))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "6 captions as before" in screen_text(app))
        assert (folder / "0.txt").read_text() == "mine"


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_failure_is_told_with_its_remedy(
    folder: Path, home: Path, size: tuple[int, int]
) -> None:
    async with captioners(draft_of(folder, fails_at="3"), size) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "The memory is too small" in screen_text(app))
        await at_rest(pilot)
        shot(app, "failed")
        check_snapshot(app, "captioners-failed", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_while_it_goes_on(folder: Path, home: Path, size: tuple[int, int]) -> None:
    async with captioners(draft_of(folder), size) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        await at_rest(pilot)
        screen = app.screen
        assert isinstance(screen, WriteCaptions)
        heard = screen.pane.heard
        assert heard is not None and heard.last is not None
        status = replace(heard.last.status, state="live", phase="caption", done=3, phase_total=5)
        # As it is half-way, without a clock in it.
        screen.turn_live(True)
        screen.pane.hear(TaskNews(status, [], 94.0, 1.25))
        await at_rest(pilot)
        shot(app, "live")
        check_snapshot(app, "captioners-live", home)


@pytest.mark.anyio
async def test_the_picture_is_that_of_the_cursor(folder: Path) -> None:
    async with captioners(draft_of(folder), (120, 40)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        await at_rest(pilot)
        assert app.screen.query_one(Picture).path == folder / "5.png"
        await pilot.press("down", "down")
        await at_rest(pilot)
        assert app.screen.query_one(Picture).path == folder / "3.png"


@pytest.mark.anyio
async def test_what_names_and_captioners_say_commands_no_terminal(folder: Path) -> None:
    evil = "\x1b]0;evil\x07.png"
    (folder / "5.png").rename(folder / evil)
    Image.new("RGB", (64, 64), toy_captioner.GREY).save(folder / "\x1b[31mbad.png")
    draft = draft_of(folder, style="[red]\x9b31m")
    async with captioners(draft, (120, 40)) as (app, pilot):
        await at_rest(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Done." in screen_text(app))
        await at_rest(pilot)
        text = screen_text(app)
        assert (
            "evil" in text
            and "[red]" in text
            and "bad.png: the captioner cannot look at it" in text
        )
        assert not {"\x1b", "\x07", "\x9b"} & set(text)


@pytest.mark.anyio
async def test_the_pictures_of_the_demo_stay_as_they_are(folder: Path) -> None:
    draft = draft_of(folder)
    draft.put("dataset.folder", "embedded:demo/pictures")
    async with captioners(draft) as (app, pilot):
        await at_rest(pilot)
        assert "The demo's pictures come along with their captions" in screen_text(app)
        assert not app.screen.check_action("start", ())
        await pilot.press("end", "f2")
        await at_rest(pilot)
        assert isinstance(app.screen, WriteCaptions)


def test_plain_questions_choose_a_captioner_and_wait_for_it(folder: Path) -> None:
    draft = draft_of(folder, seconds="1")
    draft.save_as(folder.parent / "mika.toml")
    draft.keep()
    talked = talk(
        [
            ("What do you want to do?", "go on with mika"),
            ("The captions:", "captioner"),
            ("Which captioner?", "Colours"),
            ("Captions for:", ""),
            ("Begin?", ""),
            ("The captions:", "undo"),
            ("The captions:", "q"),
        ],
        patience=60,
    )
    assert is_plain(talked), talked.text
    text = " ".join(talked.text.split())
    assert "Colours would look at 5 pictures. 1 picture keeps its caption." in text
    assert "Every caption begins: mika," in text
    assert "of 5, " in text, "a line of progress"
    assert "Done. 5 captions written. 1 picture kept its own." in text
    assert "As before: 5 captions." in text
    assert [path.name for path in folder.glob("*.txt")] == ["0.txt"]


def test_plain_questions_left_while_it_goes_on_find_it_again(folder: Path) -> None:
    draft_of(folder, **SLOW, model="toys/absent").keep()
    go_on = ("What do you want to do?", "4")
    leave = ("The captions:", "q")
    talked = talk([go_on, ("The captions:", "captioner"), ("Which", ""), ("for:", ""), leave])
    assert "toys download && pip install paint" in talked.text
    drafts()[0].discard()
    draft_of(folder, seconds="1").keep()
    answers = [("The captions:", "captioner"), ("Which", ""), ("for:", ""), ("Begin?", "")]
    answers += [("The captions:", "stop"), leave]
    talked = talk([go_on, *answers], interrupt_at="Ctrl-C ends the")
    text = " ".join(talked.text.split())
    assert "goes on by itself" in text and "Stopped. The same captioner goes on" in text
    assert not directory_of(folder).is_live()
