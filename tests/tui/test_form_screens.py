"""The screens of the steps Parameters, Samples, Output and Review, as a person sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from form_walks import at_step, disk_of, ready_draft, settled
from lora_wizard.tui.walk.draft import Draft
from lora_wizard.tui.widgets.form import Form
from screens import SIZES, check_snapshot

pytestmark = pytest.mark.anyio
WALKS = {
    "parameters": [
        ("parameters", []),
        ("parameters-find", ["slash", *"warm"]),
        ("parameters-all", ["escape", "f4"]),
        (
            "parameters-wrong",
            [*("\t" * 9), "5", "home", "pageup", "pageup", "0", "down", "8", "down"],
        ),
        ("parameters-preset", ["f2", "down", "down"]),
    ],
    "samples": [("samples", []), ("samples-proposed", ["f2", "f2"])],
    "output": [("output", []), ("output-proposed", ["f2"])],
    "review": [("review", []), ("review-start", ["ctrl+n"])],
}
"""Step -> the snapshots, each with the keys that lead on to it."""


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("step", WALKS)
async def test_snapshots(
    step: str, size: tuple[int, int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with disk_of(monkeypatch):
        async with at_step(ready_draft(home), step, size) as (app, pilot):
            for name, keys in WALKS[step]:
                await pilot.press(*("tab" if key == "\t" else key for key in keys))
                await settled(app, pilot)
                check_snapshot(app, name, home)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_review_of_a_draft_that_cannot_start(
    size: tuple[int, int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft.new("person")
    draft.enter("network.rank", "0")
    draft.enter("captions.trigger_words", "mika")
    draft.note("price_per_hour", "0.79")
    with disk_of(monkeypatch):
        async with at_step(draft, "review", size) as (app, pilot):
            check_snapshot(app, "review-wrong", home)
            await pilot.press("f4")
            check_snapshot(app, "review-difference", home)
            await pilot.press("ctrl+n")
            await settled(app, pilot)
            check_snapshot(app, "review-refused", home)


async def test_typing_takes_the_place_of_a_presets_path_and_of_no_other(home: Path) -> None:
    async with at_step(ready_draft(home), "output") as (app, pilot):
        form = app.screen.query_one(Form)
        for key, typed in (("folder", "x"), ("name", ""), ("folder", "y")):
            form.focus_field(f"output.{key}")
            await pilot.pause()
            await pilot.press(*typed)
            await settled(app, pilot)
        assert app.draft.value("output.folder") == "xy"
