"""Pictures as widgets: what is drawn, what is said, and what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.tui.terminal.capabilities import Capabilities
from lora_wizard.tui.widgets.picture import Picture
from lora_wizard.tui.widgets.picture_grid import PictureGrid
from PIL import Image
from rich.segment import Segment
from screens import at_rest, screen_text
from textual.app import App, ComposeResult
from textual.pilot import Pilot


class OnePicture(App[None]):
    CSS = "Picture { width: 30; height: 16; }"

    def __init__(self, path: Path | None, capabilities: Capabilities | None = None) -> None:
        super().__init__()
        self.path = path
        self.capabilities = capabilities

    def compose(self) -> ComposeResult:
        yield Picture(self.path, can_focus=True)


def save(path: Path, size: tuple[int, int], colour: str = "red") -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


async def settle(app: App[None], pilot: Pilot[None]) -> None:
    await at_rest(pilot)


def drawn_cells(app: App[None]) -> list[int]:
    """Per line, how many characters are red."""
    strips = app.screen._compositor.render_strips()
    return [sum(len(segment.text) for segment in strip if is_red(segment)) for strip in strips]


def is_red(segment: Segment) -> bool:
    colour = segment.style.bgcolor if segment.style else None
    return bool(colour and colour.triplet == (255, 0, 0))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("size", "cells"), [((60, 60), (30, 15)), ((120, 60), (30, 8)), ((60, 120), (15, 15))]
)
async def test_a_picture_keeps_its_sides_ratio(
    home: Path, size: tuple[int, int], cells: tuple[int, int]
) -> None:
    app = OnePicture(save(home / "a.png", size))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        rows = [count for count in drawn_cells(app) if count]
        assert (rows[0], len(rows)) == cells
        assert f"a.png  {size[0]}x{size[1]}" in screen_text(app)


class Many(App[None]):
    def __init__(self, items: list[tuple[str, Path]]) -> None:
        super().__init__()
        self.items = items

    def compose(self) -> ComposeResult:
        yield PictureGrid(self.items)


@pytest.mark.anyio
async def test_a_grid_reads_only_what_is_in_sight(home: Path) -> None:
    """Files that are not in sight are named pipes here would hang nobody: they are not there."""
    picture = save(home / "a.png", (40, 40))
    items = [(f"number {index}", home / f"{index}.png") for index in range(5000)]
    for index in (0, 4999):
        picture.rename(items[index][1])
        picture = save(home / "a.png", (40, 40))
    app = Many(items)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        text = screen_text(app)
        assert "> number 0" in text
        assert "number 7" in text
        assert "number 12" not in text
        assert max(drawn_cells(app)) == 18
        await pilot.press("end")
        await settle(app, pilot)
        assert "> number 4999" in screen_text(app)
        assert max(drawn_cells(app)) == 18


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["gone", "damaged", "none"])
async def test_words_stand_where_nothing_can_be_drawn(home: Path, reason: str) -> None:
    path = home / "a.png"
    if reason == "none":
        save(path, (60, 60))
    elif reason == "damaged":
        path.write_bytes(b"no picture")
    app = OnePicture(path, Capabilities("none" if reason == "none" else "half"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        text = " ".join(screen_text(app).split())
        said = {"gone": "cannot be read", "damaged": "not a picture", "none": "a.png 60x60"}
        assert said[reason] in text
        assert not any(drawn_cells(app))
