"""Home: what is listed, what can be done with it, and what is asked before."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import held, make_draft, make_run
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.screens.ask import Ask
from lora_wizard.tui.screens.home import HomeScreen
from lora_wizard.tui.screens.of_run import start_run
from lora_wizard.tui.screens.open_toml import OpenScreen
from lora_wizard.tui.screens.step import StepScreen
from lora_wizard.tui.screens.train import TrainScreen
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.widgets.path_input import PathInput
from lora_wizard.tui.widgets.rows import Rows
from screens import SIZES, at_rest, check_snapshot, screen_text, until
from textual.pilot import Pilot


async def settle(app: WizardApp, pilot: Pilot[None]) -> None:
    await at_rest(pilot)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_home_says_what_to_do(home: Path, size: tuple[int, int]) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        check_snapshot(app, "home-empty", home)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_everything_that_was_begun_is_found_again(home: Path, size: tuple[int, int]) -> None:
    make_draft("aquarelle", template="style", step="repeats", hours=30)
    make_draft("mika")
    for hours, outcome in enumerate(("created", "finished", "stopped", "failed", "running"), 3):
        steps = 0 if outcome == "created" else 12
        make_run(home, f"{outcome}-one", outcome, steps=steps, hours=hours)
    broken = make_run(home, "broken-one", "finished")
    broken.record_path.write_text("{")
    broken.config_path.unlink()
    live = make_run(home, "live-one", "running", steps=7)
    app = WizardApp()
    with held(live.lock_path):
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            check_snapshot(app, "home-full", home)
            await pilot.press("tab", "tab")
            await pilot.pause()
            check_snapshot(app, "home-full-live", home)


@pytest.mark.anyio
async def test_thirty_runs_and_ten_drafts_stay_clear_on_a_small_screen(home: Path) -> None:
    for number in range(10):
        make_draft(f"draft-{number}", hours=number + 1)
    for number in range(30):
        make_run(home, f"run-{number}", "finished", steps=3, hours=40 - number)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        check_snapshot(app, "home-many", home)
        await pilot.press("tab", "tab", "end")
        await pilot.pause()
        assert "run-0 " in screen_text(app)
        await pilot.press("home", "up")
        assert app.focused is app.screen.query_one("#drafts")
        assert "draft-9" in screen_text(app)


@pytest.mark.anyio
@pytest.mark.parametrize("size", SIZES)
async def test_a_new_lora_begins_with_a_preset(home: Path, size: tuple[int, int]) -> None:
    app = WizardApp()
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("n")
        await pilot.pause()
        check_snapshot(app, "presets", home)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        assert drafts()[0].template == "face"
        await pilot.press("escape")
        await settle(app, pilot)
        assert drafts() == [], "nothing was decided"


@pytest.mark.anyio
async def test_a_draft_is_continued_and_deleted_only_when_asked_twice(home: Path) -> None:
    make_draft("keep-me", hours=1)
    make_draft("lose-me", hours=2)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("tab", "down", "delete")
        await pilot.pause()
        assert isinstance(app.screen, Ask)
        await pilot.press("escape")
        assert len(drafts()) == 2
        await pilot.press("delete", "enter")
        await settle(app, pilot)
        assert [draft.name for draft in drafts()] == ["keep-me"]
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        assert app.screen.step.name == "model"


@pytest.mark.anyio
async def test_a_broken_toml_is_told_with_its_line(home: Path) -> None:
    Path("bad.toml").write_text('[model]\nbase = "x"\nfamily = sd1\n')
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("o")
        await pilot.pause()
        app.screen.query_one(PathInput).value = "bad.toml"
        app.screen.query_one(PathInput).close()
        await pilot.press("enter")
        await settle(app, pilot)
        assert "line 3" in screen_text(app)
        check_snapshot(app, "open-broken", home)
    assert drafts() == []


@pytest.mark.anyio
async def test_a_toml_is_opened_and_offered_again(home: Path) -> None:
    Path("mine.toml").write_text('# mine\n[model]\nbase = "x"\n[dataset]\nfolder = "pictures"\n')
    app = WizardApp(draft=Draft.of_file(Path("mine.toml")))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, StepScreen)
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        app.go_home()
        await settle(app, pilot)
        await pilot.press("o")
        await pilot.pause()
        assert "~/mine.toml" in screen_text(app)
    assert Path("mine.toml").read_text().startswith("# mine\n")


@pytest.mark.anyio
async def test_a_live_run_is_watched_and_a_stopped_one_asked_about(home: Path) -> None:
    live = make_run(home, "live-one", "running", steps=3)
    make_run(home, "old-one", "stopped", steps=3)
    app = WizardApp()
    with held(live.lock_path):
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            await pilot.press("tab", "enter")
            await until(pilot, lambda: isinstance(app.screen, TrainScreen))
            app.go_home()
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
            await pilot.press("down", "enter")
            await until(pilot, lambda: isinstance(app.screen, Ask))
            check_snapshot(app, "home-stopped", home)


@pytest.mark.anyio
async def test_resuming_a_run_that_goes_on_attaches_to_it(home: Path) -> None:
    run = make_run(home, "live-one", "running", steps=3)
    app = WizardApp()
    with held(run.lock_path):
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await settle(app, pilot)
            start_run(app, run)
            await until(pilot, lambda: isinstance(app.screen, TrainScreen))
            await until(pilot, lambda: "going on already" in screen_text(app))


@pytest.mark.anyio
async def test_a_run_that_does_not_start_says_why(home: Path) -> None:
    run = make_run(home, "old-one", "stopped", steps=3)
    run.log_path.mkdir()
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        start_run(app, run)
        await settle(app, pilot)
        assert isinstance(app.screen, Ask)
        assert "could not be started" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)


@pytest.mark.anyio
async def test_a_draft_that_another_wizard_has_is_not_overwritten(home: Path) -> None:
    draft = make_draft("mika")
    kept = draft.path.read_bytes()
    app = WizardApp()
    with held(draft.path.with_suffix(".lock")) as other:
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            await pilot.press("tab", "enter")
            await settle(app, pilot)
            check_snapshot_without_pid(app, other.pid)
            await pilot.press("down", "enter")
            await until(pilot, lambda: isinstance(app.screen, StepScreen))
            assert app.draft.path != draft.path
            assert app.draft.name == "mika"
            app.go_home()
            assert draft.path.read_bytes() == kept
            app.begin(draft)
            await settle(app, pilot)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, StepScreen))
            assert app.draft.path == draft.path
            assert other.wait(10) != 0


def check_snapshot_without_pid(app: WizardApp, pid: int) -> None:
    text = screen_text(app)
    assert "open in another wizard" in text
    assert str(pid) in text


@pytest.mark.anyio
async def test_lists_keep_their_place_when_they_are_read_again(home: Path) -> None:
    for number in range(30):
        make_run(home, f"run-{number}", "finished", steps=3, hours=40 - number)
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("tab", "end")
        rows = app.screen.query_one("#runs", Rows)
        before = rows.highlighted, rows.scroll_offset
        await pilot.press("f5")
        await settle(app, pilot)
        assert (rows.highlighted, rows.scroll_offset) == before


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "words"),
    [((), "What is it to learn?"), (("down",), "Which TOML?"), (("down", "down"), "miniature")],
)
async def test_what_can_be_begun_is_chosen_with_arrows_and_enter(
    home: Path, keys: tuple[str, ...], words: str
) -> None:
    app = WizardApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press(*keys, "enter")
        await settle(app, pilot)
        assert words in screen_text(app)


@pytest.mark.anyio
async def test_a_toml_in_nobodys_home_is_told_in_words(home: Path) -> None:
    app = WizardApp(OpenScreen())
    async with app.run_test(size=(80, 24)) as pilot:
        await app.workers.wait_for_complete()
        app.screen.query_one(PathInput).value = "~nobody-of-this-name/mika.toml"
        app.screen.query_one(PathInput).close()
        await pilot.press("enter")
        await pilot.pause()
        assert "there is no such home folder" in screen_text(app)
