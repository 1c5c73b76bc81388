"""What the wizard does not keep, and does not do twice."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import ClassVar

import pytest
from form_walks import ready_draft, settled, step_of
from lora_wizard.tui.app import WizardApp
from lora_wizard.tui.widgets import thrift
from rich.segment import Segment
from screens import until
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static


@pytest.mark.anyio
async def test_closed_steps_are_let_go_of(home: Path) -> None:
    draft = ready_draft(home)
    draft.step = "dataset"
    app = WizardApp(draft=draft)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(app, pilot)
        closed: list[weakref.ref[object]] = []
        for step in ("captions", "repeats", "model", "parameters", "samples", "output"):
            closed += [weakref.ref(app.screen), *map(weakref.ref, app.screen.walk_children())]
            await pilot.press("ctrl+n")
            await settled(app, pilot)
            assert step_of(app) == step
        await until(pilot, lambda: not any(widget() for widget in closed))


def test_a_drawn_line_has_no_cache_before_it_needs_one() -> None:
    line = Strip([Segment("one "), Segment("two")])
    for name in thrift.CACHES:
        # Textual's way of keeping them has changed if this fails: look at it anew.
        with pytest.raises(AttributeError):
            object.__getattribute__(line, name)
    first = line.crop(1, 5)
    assert first.text == "ne t"
    assert line.crop(1, 5) is first
    assert line.cell_length == 7
    with pytest.raises(AttributeError, match="nothing"):
        _ = line.nothing  # pyright: ignore[reportAttributeAccessIssue]


class Told(Static):
    """Notes whether it stands in a wide screen when it is made."""

    was_wide: bool

    def on_mount(self) -> None:
        self.was_wide = self.screen.has_class("-wide")


class Fitting(Screen[None]):
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]

    def compose(self) -> ComposeResult:
        thrift.fit(self)
        yield Told()


@pytest.mark.anyio
@pytest.mark.parametrize(("width", "wide"), [(80, False), (120, True)])
async def test_a_screen_knows_its_size_before_its_widgets_are_made(width: int, wide: bool) -> None:
    app: App[None] = App()
    async with app.run_test(size=(width, 24)) as pilot:
        await app.push_screen(Fitting())
        await pilot.pause()
        assert app.screen.query_one(Told).was_wide == wide
        await pilot.resize_terminal(200 - width, 24)
        await pilot.pause()
        assert app.screen.has_class("-wide") != wide
        assert app.screen.has_class("-narrow") == wide
