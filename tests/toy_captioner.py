"""A captioner of another distribution: says the colour of a picture, and notes who was asked."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lora_wizard.captioners.base import ModelOptions, ModelSpec, OutOfMemoryError
from lora_wizard.core.config.options import Section, option
from lora_wizard.core.errors import Problem
from PIL import Image

if TYPE_CHECKING:
    import pytest

GREY = (90, 90, 90)
"""What the model cannot bear to look at."""


class ToyOptions(ModelOptions):
    """How it goes wrong."""

    model: str = option("toys/colours", help="A hub id or a folder.")
    style: str = option("plain", help="How it says it.", level="basic")
    seconds: float = option(0.0, help="How long a picture takes.", ge=0)
    most: int = option(256, help="How many pictures its memory holds.", ge=0)
    fails_at: int = option(0, help="The picture at which it breaks down; 0 never.", ge=0)


class Colours:
    """Notes the colours of each batch in ``$TOY_ASKED``, a line for each."""

    def __init__(self, options: ToyOptions) -> None:
        self._options = options
        self._asked = 0

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        options = self._options
        if len(pictures) > options.most:
            raise OutOfMemoryError(f"{len(pictures)} pictures do not fit")
        if any(_colour(picture) == GREY for picture in pictures):
            raise ValueError("grey is no colour")
        self._asked += len(pictures)
        if options.fails_at and self._asked >= options.fails_at:
            raise MemoryError("nothing is left")
        with Path(os.environ["TOY_ASKED"]).open("a") as notes:
            for picture in pictures:
                notes.write("{} {} {}\n".format(*_colour(picture)))
        time.sleep(options.seconds * len(pictures))
        return [self._say(picture) for picture in pictures]

    def _say(self, picture: Image.Image) -> str:
        red, green, blue = _colour(picture)
        if (red, green, blue) == (0, 0, 0):
            return ""
        return f"{self._options.style} colour\n{red} {green} {blue}"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the toy installed, for the processes that are started from now on and for this one;
    what it notes comes into ``folder``."""
    info = folder / "plugins/toy-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 0\n")
    entry = "[lora_wizard.captioners]\ntoy = toy_captioner:SPEC\n"
    (info / "entry_points.txt").write_text(entry)
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'plugins'}:{Path(__file__).parent}")
    monkeypatch.syspath_prepend(folder / "plugins")
    monkeypatch.setenv("TOY_ASKED", str(folder / "asked"))


def _colour(picture: Image.Image) -> tuple[int, int, int]:
    assert picture.mode == "RGB"
    found = picture.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found[0], found[1], found[2]


def _missing(options: Section) -> list[Problem]:
    assert isinstance(options, ToyOptions)
    if options.model == "toys/colours":
        return []
    return [
        Problem(f"{options.model} is not here", "model", remedy="Get it: toys download"),
        Problem("paint is not installed", remedy="Install it: pip install paint"),
    ]


def _load(options: ModelOptions) -> Colours:
    assert isinstance(options, ToyOptions)
    return Colours(options)


SPEC = ModelSpec(
    name="toy",
    title="Colours",
    help="For pictures of one colour.",
    options=ToyOptions,
    missing=_missing,
    load=_load,
)
