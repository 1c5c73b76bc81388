"""Pictures drawn with characters: read back from the bytes a terminal would get."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from lora_wizard.tui.picture import half_blocks, print_pictures
from PIL import Image
from rich.console import Console

RUN = re.compile(r"\x1b\[(?:38;2;(\d+);(\d+);(\d+);)?48;2;(\d+);(\d+);(\d+)m([ ▀]+)\x1b\[0m")
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
    lines = printed([("one", two_colours(tmp_path / "a.png"))], 30, "truecolor")[1:]
    runs = [RUN.fullmatch(line) for line in lines]
    assert [len(run[7]) for run in runs if run] == [30] * 15
    colours = [tuple(int(value) for value in run.group(4, 5, 6)) for run in runs if run]
    assert colours[0] == (255, 0, 0)
    assert colours[-1] == (0, 0, 255)


def test_a_character_shows_two_pixels() -> None:
    picture = Image.new("RGB", (3, 2), (255, 0, 0))
    picture.paste((0, 0, 255), (0, 1, 2, 2))
    first, second = half_blocks(picture, 3, 1)[0]
    assert (first.text, second.text) == ("▀▀", " ")
    assert first.style and first.style.color and first.style.bgcolor
    assert first.style.color.triplet == (255, 0, 0)
    assert first.style.bgcolor.triplet == (0, 0, 255)


@pytest.mark.parametrize("width", [22, 40, 80, 120, 300])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_line_fits_and_every_picture_is_there(tmp_path: Path, width: int, count: int) -> None:
    path = two_colours(tmp_path / "a.png")
    lines = printed([(f"epoch {index}", path) for index in range(count)], width, "truecolor")
    plain = [PLAIN.sub("", line) for line in lines]
    assert max(map(len, plain)) <= width
    assert sum(line.count("epoch") for line in plain) == count
    assert all(RUN.search(line) for line in lines if "epoch" not in line)


def test_nothing_is_drawn_without_colours(tmp_path: Path) -> None:
    assert printed([("one", two_colours(tmp_path / "a.png"))], 80, None) == []


def test_a_label_cannot_command_the_terminal(tmp_path: Path) -> None:
    lines = printed([("\x1b]0;owned\x07[/b]", two_colours(tmp_path / "a.png"))], 80, "truecolor")
    assert "\x1b]0;" not in lines[0]
    assert "[/b]" in lines[0]
