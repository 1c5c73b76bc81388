"""How each use of a picture shows it: the crop, mirrored or not, in which colours.

Drawn from the use's own key and without torch, so that `plan` shows what training will see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, ImageOps

from ..config import RunConfig
from ..randomness import integer, uniform
from .pixels import crop_picture
from .plan import Crop, Draw, Sample

_HUE_DEGREES = 10.0
_SATURATION, _CONTRAST, _GAMMA = 0.1, 0.05, 0.05
"""How far from 1 at most."""
_LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue are."""


@dataclass(frozen=True)
class ColorShift:
    """A small change of all colours of a picture."""

    hue: float
    """Degrees."""
    saturation: float
    """1: as it is, as are the next two."""
    contrast: float
    gamma: float


@dataclass(frozen=True)
class View:
    """A picture as one use of it shows it."""

    sample: Sample
    crop: Crop
    """Of the picture as it is; the part that was cut is mirrored afterwards."""
    is_flipped: bool = False
    color: ColorShift | None = None

    @property
    def left(self) -> int:
        """Pixels that the cut leaves away on what is then the left side."""
        if not self.is_flipped:
            return self.crop.left
        return self.crop.scaled_width - self.sample.bucket.width - self.crop.left


def plain_view(sample: Sample) -> View:
    """Without augmentation."""
    return View(sample, sample.crop)


def view_of(draw: Draw, config: RunConfig) -> View:
    """What the use ``draw`` shows."""
    seed, options = config.training.seed, config.augmentation
    sample, crop = draw.sample, draw.sample.crop
    if options.random_crop:
        across = crop.scaled_width - sample.bucket.width
        down = crop.scaled_height - sample.bucket.height
        left = integer(draw.key(seed, "crop left"), across + 1)
        crop = replace(crop, left=left, top=integer(draw.key(seed, "crop top"), down + 1))
    is_flipped = options.flip and uniform(draw.key(seed, "flip")) < 0.5
    return View(sample, crop, is_flipped, _color(draw, seed) if options.color else None)


def views_to_cache(sample: Sample, config: RunConfig) -> list[View]:
    """All that the uses of ``sample`` can show when they vary in nothing but being mirrored."""
    view = plain_view(sample)
    return [view, replace(view, is_flipped=True)] if config.augmentation.flip else [view]


def show(image: Image.Image, view: View) -> Image.Image:
    """The pixels of ``view``, of its bucket's size, from its whole picture (RGB)."""
    cut = crop_picture(image, view.crop, view.sample.bucket)
    if view.is_flipped:
        cut = ImageOps.mirror(cut)
    return shift_colors(cut, view.color) if view.color else cut


def shift_colors(image: Image.Image, shift: ColorShift) -> Image.Image:
    """``image`` (RGB) with its hues turned about the grey axis, its distance from grey, its
    distance from middle grey and its gamma multiplied, in this order."""
    image = image.convert("RGB", _hue_and_saturation(math.radians(shift.hue), shift.saturation))
    levels = [((level / 255 - 0.5) * shift.contrast + 0.5) for level in range(256)]
    curve = [round(255 * min(max(level, 0.0), 1.0) ** shift.gamma) for level in levels]
    return image.point(curve * 3)


def facts_of(view: View) -> dict[str, Any]:
    """What `plan` tells programs of a view, besides its crop."""
    mask = view.sample.mask
    facts: dict[str, Any] = {"flipped": view.is_flipped, "mask": str(mask.path) if mask else None}
    if view.color:
        facts["color"] = {name: round(value, 4) for name, value in vars(view.color).items()}
    return facts


def words_of(view: View) -> list[str]:
    """The same for people, a line each; none for a plain one."""
    words = ["mirrored"] if view.is_flipped else []
    if color := view.color:
        words.append(
            f"hue {color.hue:+.1f} degrees, saturation {color.saturation:.2f}, contrast "
            f"{color.contrast:.2f}, gamma {color.gamma:.2f}"
        )
    if mask := view.sample.mask:
        is_alpha = mask.path == view.sample.path
        words.append("mask: its transparency" if is_alpha else f"mask: {mask.name}")
    return words


def _color(draw: Draw, seed: int) -> ColorShift:
    def around(middle: float, most: float, name: str) -> float:
        return middle + most * (2 * uniform(draw.key(seed, f"color {name}")) - 1)

    return ColorShift(
        around(0, _HUE_DEGREES, "hue"),
        around(1, _SATURATION, "saturation"),
        around(1, _CONTRAST, "contrast"),
        around(1, _GAMMA, "gamma"),
    )


def _hue_and_saturation(angle: float, saturation: float) -> tuple[float, ...]:
    """Pillow's 3x4 matrix: a rotation about (1, 1, 1), then the mix with the brightness."""
    same = (1 + 2 * math.cos(angle)) / 3
    before = (1 - math.cos(angle)) / 3 - math.sin(angle) / math.sqrt(3)
    after = (1 - math.cos(angle)) / 3 + math.sin(angle) / math.sqrt(3)
    turned = ((same, before, after), (after, same, before), (before, after, same))
    brightness = [sum(_LUMA[row] * turned[row][column] for row in range(3)) for column in range(3)]
    rows: list[float] = []
    for row in turned:
        mixed = zip(row, brightness, strict=True)
        rows += [saturation * value + (1 - saturation) * grey for value, grey in mixed]
        rows.append(0.0)
    return tuple(rows)
