"""One picture of a whole run: the base model's pictures beside those of each epoch. No torch."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..files import write_bytes
from ..schedule import Schedule

_SCALE = 2
_GAP = 8
_LABEL_HEIGHT = 22
_SAMPLE = re.compile(r"step(\d+)-(\d+)\.png$")
_INK, _PAPER = (30, 32, 36), (255, 255, 255)


def sample_files(folder: Path) -> dict[int, list[Path]]:
    """Step -> the sample pictures drawn after it, in the order of their prompts."""
    found: dict[int, dict[int, Path]] = {}
    for path in folder.glob("step*.png"):
        if match := _SAMPLE.search(path.name):
            found.setdefault(int(match[1]), {})[int(match[2])] = path
    return {step: [found[step][place] for place in sorted(found[step])] for step in sorted(found)}


def step_label(step: int, schedule: Schedule) -> str:
    """What a column of the panel is called: the base model, an epoch, or a step between."""
    if step == 0:
        return "base model"
    ends = schedule.epoch_end_steps
    return f"epoch {ends.index(step) + 1}" if step in ends else f"step {step}"


def write_panel(path: Path, columns: Sequence[tuple[str, Sequence[Path]]]) -> None:
    """Write a PNG with a labelled column for each (label, pictures). Raises WriteError."""
    pictures = [[_opened(file) for file in files] for _, files in columns]
    width = max(picture.width for column in pictures for picture in column)
    height = max(picture.height for column in pictures for picture in column)
    rows = max(map(len, pictures))
    size = (
        _GAP + len(columns) * (width + _GAP),
        _GAP + _LABEL_HEIGHT + rows * (height + _GAP),
    )
    panel = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(14)
    for place, (label, _) in enumerate(columns):
        left = _GAP + place * (width + _GAP)
        draw.text((left, _GAP - 2), label, fill=_INK, font=font)
        for top, picture in _down(pictures[place], height):
            panel.paste(picture, (left, top))
    buffer = io.BytesIO()
    panel.save(buffer, "PNG", optimize=True)
    write_bytes(path, buffer.getvalue())


def _opened(file: Path) -> Image.Image:
    picture = Image.open(file).convert("RGB")
    size = (picture.width * _SCALE, picture.height * _SCALE)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _down(column: Sequence[Image.Image], height: int) -> Iterator[tuple[int, Image.Image]]:
    for row, picture in enumerate(column):
        yield _GAP + _LABEL_HEIGHT + row * (height + _GAP), picture
