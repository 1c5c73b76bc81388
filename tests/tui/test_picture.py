"""Pictures drawn with characters: read back from the bytes a terminal would get."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from lora_wizard.tui.picture import print_pictures
from PIL import Image
from rich.console import Console

CELL = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m(▀+)\x1b\[0m")
PLAIN = re.compile(r"\x1b\[[0-9;]*m")


def two_colours(path: Path) -> Path:
    """Red above, blue below."""
    picture = Image.new("RGB", (40, 40), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 20, 40, 40))
    picture.save(path)
    return path


def printed(pictures: list[tuple[str, Path]], width: int, colours: str | None) -> list[str]:
    output = io.StringIO()
    system = {"color_system": colours} if colours else {"no_color": True, "color_system": None}
    console = Console(file=output, width=width, force_terminal=True, **system)  # type: ignore[arg-type]
    print_pictures(console, pictures)
    return output.getvalue().splitlines()


def test_the_colours_are_the_pictures(tmp_path: Path) -> None:
    lines = printed([("one", two_colours(tmp_path / "a.png"))], 30, "truecolor")
    cells = [CELL.findall(line) for line in lines[1:]]
    assert all(cells)
    assert cells[0][0][:6] == ("255", "0", "0", "255", "0", "0")
    assert cells[-1][0][:6] == ("0", "0", "255", "0", "0", "255")


@pytest.mark.parametrize("width", [22, 40, 80, 120, 300])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_line_fits_and_every_picture_is_there(tmp_path: Path, width: int, count: int) -> None:
    path = two_colours(tmp_path / "a.png")
    lines = printed([(f"epoch {index}", path) for index in range(count)], width, "truecolor")
    plain = [PLAIN.sub("", line) for line in lines]
    assert max(map(len, plain)) <= width
    assert sum(line.count("epoch") for line in plain) == count
    drawn = [line for line in plain if "▀" in line]
    assert len({len(line.split()) for line in drawn}) <= 2


def test_nothing_is_drawn_without_colours(tmp_path: Path) -> None:
    assert printed([("one", two_colours(tmp_path / "a.png"))], 80, None) == []


def test_a_label_cannot_command_the_terminal(tmp_path: Path) -> None:
    lines = printed([("\x1b]0;owned\x07[/b]", two_colours(tmp_path / "a.png"))], 80, "truecolor")
    assert "\x1b]0;" not in lines[0]
    assert "[/b]" in lines[0]
