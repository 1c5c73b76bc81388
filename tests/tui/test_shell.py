"""What every screen of the walk has: the steps, the way on, help, saving, the palette, the end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.ask import Ask
from lora_wizard.tui.screens.explain import HelpScreen
from lora_wizard.tui.screens.home import HomeScreen
from lora_wizard.tui.screens.save import SaveScreen
from lora_wizard.tui.screens.step import StepScreen
from lora_wizard.tui.walk import memory, progress, steps
from lora_wizard.tui.walk.draft import Draft
from screens import SIZES, at_rest, check_snapshot, screen_text
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input


async def settle(app: WizardApp, pilot: Pilot[None]) -> None:
    await at_rest(pilot)


def of_file(text: str = '[model]\nbase = "x"\n[dataset]\nfolder = "pictures"\n') -> Draft:
    Path("mine.toml").write_text(text)
    return Draft.of_file(Path("mine.toml"))


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_the_help_explains_screen_keys_and_words(home: Path, size: tuple[int, int]) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("f1")
        await settle(app, pilot)
        check_snapshot(app, "help-home", home)
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)


@pytest.mark.anyio
async def test_the_help_of_a_step_explains_the_option_that_has_the_focus(home: Path) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, pilot)
        app.go("output")
        await settle(app, pilot)
        app.screen.query_one("#field-output-name Input").focus()
        await pilot.press("f1")
        await settle(app, pilot)
        text = screen_text(app)
        for words in ("named like the LoRA", "(output.name)", "output_name", "ctrl+s", "epoch "):
            assert words in text


@pytest.mark.anyio
async def test_a_question_mark_helps_where_nothing_is_typed(home: Path) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "n", "enter")
        await settle(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, StepScreen)


def test_a_step_says_how_it_stands(home: Path) -> None:
    draft = Draft.new("face")
    progress.arrive(draft, steps.find("model"))
    progress.arrive(draft, steps.find("captions"))
    marks = [state.mark for state in progress.states(draft, steps.find("captions"), None)]
    assert marks == ["done", "here", "done", "done", "ahead", "ahead", "ahead", "ahead"]
    marks = [state.mark for state in progress.states(of_file(), steps.find("review"), None)]
    assert marks == ["done"] * 7 + ["here"]


@pytest.mark.anyio
async def test_the_steps_stand_beside_the_form_where_there_is_room(home: Path) -> None:
    app = WizardApp(draft=of_file())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        app.go("samples")
        await settle(app, pilot)
        text = screen_text(app)
        assert "✗ Dataset" in text
        assert "to mend" in text
        assert "✓ Output" in text


@pytest.mark.anyio
async def test_enter_goes_through_the_fields_to_next(home: Path) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app.go("output")
        await settle(app, pilot)
        inputs = list(app.screen.query(Input))
        inputs[-1].focus()
        await pilot.pause()
        chain = app.screen.focus_chain
        after = chain[chain.index(inputs[-1]) + 1 :]
        await pilot.press("enter")
        await pilot.pause()
        asked = app.screen.query_one("#asked")
        expected = after[0] if asked in after[0].ancestors else app.screen.query_one("#next")
        assert app.focused is expected
        app.screen.query_one("#next").focus()
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.name == "review"


@pytest.mark.anyio
async def test_what_is_known_before_a_screen_has_its_widgets_is_shown_once_it_has(
    home: Path,
) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        known = app.assessment
        assert known is not None
        app.assessing.latest = None
        app.go("output")
        app.assessing.tell_progress(1, 2)
        app.assessing.take(known)
        await settle(app, pilot)
        assert "to mend" in screen_text(app)
        assert app.assessment is known


@pytest.mark.anyio
async def test_saving_asks_once_and_never_overwrites_unasked(home: Path) -> None:
    Path("face.toml").write_text("somebody's")
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert isinstance(app.screen, SaveScreen)
        assert app.screen.query_one(Input).value == "~/face.toml"
        app.screen.dismiss("~/face.toml")
        await settle(app, pilot)
        assert isinstance(app.screen, Ask)
        await pilot.press("enter")
        await settle(app, pilot)
        assert Path("face.toml").read_text() == "somebody's"
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        app.screen.dismiss("mine")
        await settle(app, pilot)
        assert Path("mine.toml").read_text() == app.draft.text
        app.draft.enter("output.comment", "again")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "again" in Path("mine.toml").read_text()
        Path("mine.toml").write_text("# by hand\n")
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "changed elsewhere" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert Path("mine.toml").read_text() == "# by hand\n"
    assert memory.recent_tomls() == [home / "mine.toml"]


@pytest.mark.anyio
async def test_a_state_folder_that_cannot_be_written_is_said_once(home: Path) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        folder = app.draft.path.parent
        shutil.rmtree(folder)
        folder.write_bytes(b"")
        for text in ("one", "two"):
            app.draft.enter("output.comment", text)
            app.touch()
            await settle(app, pilot)
        said = [note for note in app._notifications if "is not kept" in note.message]
        assert len(said) == 1
        assert app.draft.value("output.comment") == "two"


@pytest.mark.anyio
async def test_the_palette_goes_to_every_step_and_home(home: Path) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        names = [command.title for command in app.get_system_commands(app.screen)]
        assert [name for name in names if name.startswith("Step")] == [
            f"Step {place}: {step.title}" for place, step in enumerate(steps.STEPS, 1)
        ]
        await pilot.press("ctrl+p")
        await settle(app, pilot)
        assert isinstance(app.screen, CommandPalette)
        assert not any(field.cursor_blink for field in app.screen.query(Input))
        await pilot.press(*"Samples")
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.name == "samples"
        home_command = next(
            command for command in app.get_system_commands(app.screen) if command.title == "Home"
        )
        home_command.callback()
        await settle(app, pilot)
        assert isinstance(app.screen, HomeScreen)


@pytest.mark.anyio
async def test_the_theme_is_remembered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for before, after in (("lora-wizard", "lora-wizard-light"), ("lora-wizard-light", "nord")):
        app = WizardApp()
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            assert app.theme == before
            app.theme = after
            await settle(app, pilot)
    assert memory.recall().theme == "nord"


@pytest.mark.anyio
async def test_a_terminal_of_sixteen_colours_keeps_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.remember_theme("lora-wizard-light")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("TERM", "linux")
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert app.current_theme.ansi
    assert memory.recall().theme == "lora-wizard-light"


@pytest.mark.anyio
async def test_a_small_terminal_is_told_and_can_be_used(home: Path) -> None:
    app = WizardApp(draft=Draft.new("face"))
    async with app.run_test(size=(60, 15), notifications=True) as pilot:
        await settle(app, pilot)
        assert "60x15" in screen_text(app)
        await pilot.press("ctrl+n")
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.name == "captions"
