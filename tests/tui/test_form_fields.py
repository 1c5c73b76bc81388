"""Fields made from definitions: what each takes, keeps and shows."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from form_walks import at_step, ready_draft, settled, step_of
from lora_wizard.core.config import values
from lora_wizard.core.config.config_problems import options
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk.draft import Draft, drafts
from lora_wizard.tui.widgets.fields import OptionField, field_id, field_of
from lora_wizard.tui.widgets.form import Form
from screens import screen_text
from terminal import Terminal

pytestmark = pytest.mark.anyio


def field(app: WizardApp, key: str) -> OptionField:
    return app.screen.query_one(f"#{field_id(key)}", OptionField)


def focus(app: WizardApp, key: str) -> None:
    assert app.screen.query_one(Form).focus_field(key)


def focused(app: WizardApp) -> str:
    here = field_of(app.screen.focused)
    return here.info.key if here else ""


def test_every_label_fits_and_none_is_there_twice_in_a_section() -> None:
    labels = [(info.section, info.label) for info in options().values()]
    assert all(len(label) <= 24 for _, label in labels)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("optimizer.text_encoder_learning_rate", "off", "off"),
        ("optimizer.text_encoder_learning_rate", ".5", 0.5),
        ("dataset.resolution", "512x768", [512, 768]),
        ("dataset.resolution", "0512", 512),
        ("captions.trigger_words", "mika , red dress", ["mika", "red dress"]),
        ("samples.prompts", "a, b\n\n c ", ["a, b", "c"]),
        ("optimizer.betas", "0.9, 0.99999999", [0.9, 0.99999999]),
        ("network.alpha", "", None),
    ],
)
def test_what_is_typed_is_what_is_meant(key: str, text: str, value: object) -> None:
    info = options()[key]
    assert values.parse(info, text) == value
    assert values.problem(key, value) is None or value is None
    assert values.parse(info, values.as_text(info, value)) == value


@pytest.mark.parametrize("listed", [["a, b", "c"], [" a"], ["a", ""], ["[x]", "y"]])
def test_texts_with_the_separator_in_them_survive_their_field(listed: list[str]) -> None:
    info = options()["captions.trigger_words"]
    assert values.parse(info, values.as_text(info, listed)) == listed


async def test_keys_change_a_field_and_one_key_takes_it_back(home: Path) -> None:
    draft = ready_draft(home)
    before = draft.text
    async with at_step(draft, "parameters") as (app, pilot):
        focus(app, "optimizer.scheduler")
        await pilot.press("right", "right")
        assert draft.value("optimizer.scheduler") == "cosine"
        await pilot.press("p")
        assert draft.value("optimizer.scheduler") == "polynomial"
        assert "* preset constant" in screen_text(app)
        await pilot.press("ctrl+r")
        assert "* preset constant" not in screen_text(app)
        focus(app, "training.gradient_checkpointing")
        await pilot.press("y")
        assert draft.value("training.gradient_checkpointing") is True
        await pilot.press("ctrl+r")
        focus(app, "optimizer.text_encoder_learning_rate")
        await pilot.press(*"off")
        assert draft.value("optimizer.text_encoder_learning_rate") == "off"
        await pilot.press("ctrl+r")
    assert draft.text == before


async def test_enter_arrows_and_pages_go_from_field_to_field(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters") as (app, pilot):
        keys = [field.info.key for field in app.screen.query_one(Form).fields]
        assert focused(app) == keys[0]
        for key in keys[1:4]:
            await pilot.press("enter")
            assert focused(app) == key
        await pilot.press("up", "up")
        assert focused(app) == keys[1]
        await pilot.press("pagedown")
        assert focused(app) == keys[-1]
        await pilot.press("pageup")
        assert focused(app) == keys[0]


async def test_keys_that_come_all_at_once_go_where_they_were_meant(home: Path) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "parameters") as (app, pilot):
        for key in ("8", "enter", "4", "tab", "down", "2", "shift+tab", "up", "3", "enter"):
            app.simulate_key(key)
        await settled(app, pilot)
        assert draft.value("network.rank") == 8
        assert draft.value("optimizer.learning_rate") == 2
        assert draft.value("network.alpha") == 3


async def test_enter_behind_the_last_field_is_at_next(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters") as (app, pilot):
        await pilot.press("pagedown", "enter")
        assert app.focused is app.screen.query_one("#next")


async def test_a_warning_of_the_check_stands_beside_its_field(home: Path) -> None:
    draft = ready_draft(home)
    draft.put("optimizer.restarts", 3)
    async with at_step(draft, "parameters") as (app, pilot):
        await pilot.press("f4")
        focus(app, "optimizer.restarts")
        await pilot.pause()
        assert '! has no effect with the scheduler "constant".' in screen_text(app)
        focus(app, "optimizer.scheduler")
        await pilot.press("left", "left")
        assert draft.value("optimizer.scheduler") == "cosine_with_restarts"
        await settled(app, pilot)
        assert "has no effect" not in screen_text(app)


async def test_settings_are_found_by_words_also_by_the_names_of_sd_scripts(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters") as (app, pilot):
        await pilot.press("slash", *"lr_warmup")
        shown = [field.info.key for field in app.screen.query_one(Form).fields if field.display]
        assert shown == ["optimizer.warmup"]
        await pilot.press("enter", "5", "escape")
        assert app.draft.value("optimizer.warmup") == 5
        assert step_of(app) == "parameters"
        await pilot.press("escape")
        await pilot.pause()
        assert step_of(app) == "model"


async def test_the_search_has_the_keys_before_all_the_settings_are_there(home: Path) -> None:
    async with at_step(ready_draft(home), "parameters") as (app, pilot):
        opening = asyncio.ensure_future(app.screen.run_action("find"))
        await asyncio.sleep(0)
        focused = app.screen.focused
        await opening
        assert focused is app.screen.query_one("#find")
        await pilot.press(*"warm")
        assert app.draft.value("network.rank") == 32


async def test_what_cannot_be_used_stays_when_the_screen_and_the_app_are_left(home: Path) -> None:
    draft = ready_draft(home)
    async with at_step(draft, "parameters") as (app, pilot):
        await pilot.press(*"-7", "ctrl+n")
        await settled(app, pilot)
        await pilot.press("escape")
        await settled(app, pilot)
        assert field(app, "network.rank").text == "-7"
        assert draft.value("network.rank") == 32
    again = drafts()[0]
    assert again.shown("network.rank") == "-7"
    assert again.problem("network.rank") is not None


WIZARD = """
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.walk.draft import Draft
draft = Draft.new("face")
draft.step = "parameters"
WizardApp(draft=draft).run()
"""


def test_what_was_typed_outlives_a_kill(home: Path) -> None:
    terminal = Terminal([sys.executable, "-c", WIZARD])
    try:
        terminal.wait_for("Learning rate")
        terminal.press("12ab")
        terminal.wait_for(lambda: [d for d in drafts() if d.shown("network.rank") == "12ab"])
    finally:
        terminal.kill()
    assert drafts()[0].shown("network.rank") == "12ab"
    assert drafts()[0].value("network.rank") == 12


def test_a_draft_of_before_opens_with_what_it_knows(home: Path) -> None:
    draft = Draft.new("face")
    draft.enter("network.rank", "8")
    stored = json.loads(draft.path.read_bytes())
    stored["unknown"] = 1
    del stored["own"]
    draft.path.write_text(json.dumps(stored))
    assert Draft.load(draft.path).value("network.rank") == 8


@pytest.mark.parametrize("width", [80, 120])
async def test_a_mark_leaves_the_value_its_room(home: Path, width: int) -> None:
    draft = ready_draft(home)
    path = "/a/folder/whose/name/is/long/and/" + "x" * (width // 3)
    draft.enter("model.base", path)
    async with at_step(draft, "model", size=(width, 24)) as (app, _):
        line = next(line for line in screen_text(app).splitlines() if "Base model" in line)
        assert path in line or line.rstrip().endswith(("*", "…"))
        assert ("* preset" in line) <= (path in line)


async def test_a_narrow_field_has_its_mark_and_its_value(home: Path) -> None:
    draft = ready_draft(home)
    draft.enter("dataset.repeats", "1234")
    async with at_step(draft, "repeats") as (app, _):
        line = next(line for line in screen_text(app).splitlines() if "Repeats  " in line)
        assert line.split()[:3] == ["Repeats", "1234", "*"]


async def test_what_the_step_is_about_stands_where_no_option_has_the_focus(home: Path) -> None:
    async with at_step(ready_draft(home), "output") as (app, pilot):
        assert "a folder of its own" not in screen_text(app)
        app.screen.query_one("#next").focus()
        await pilot.pause()
        assert "a folder of its own" in screen_text(app)
