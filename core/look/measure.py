"""What is measured of one picture, from one small decode of it.

Everything is measured at about the area of a 512-pixel square: what cannot be seen there is not
learned, and a photograph of 40 megapixels is comparable with one of half a megapixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from ..dataset.masks import load_mask
from ..dataset.picture_file import has_alpha, open_picture
from ..dataset.pixels import load_picture
from .bars import NO_BARS, Bars, find_bars
from .pattern import Pattern, pattern_of

SIDE = 512
_TILE = 32
_CONTRAST = 4.0
"""Of 255: a tile whose grey values vary less shows nothing that could be sharp, only noise."""
_SHARPEST = 0.03
"""The share of tiles that count: a portrait is sharp where its eyes are, not all over."""
_FEW_TILES = 3

Array = np.ndarray
Extrema = tuple[int, int]
"""The darkest and the brightest value of a mask, 0 to 255."""


@dataclass(frozen=True)
class Measures:
    """One picture, measured."""

    sharpness: float | None
    """How much more of the finest detail there is than a slight blur would leave, in the sharpest
    tiles: 2 to 5 for a sharp photograph, below 1 for a blurred one, whatever its contrast. None
    where nothing has contrast."""
    darkest: int
    """The luma that 5 % of the pixels do not exceed, 0 to 255."""
    brightest: int
    """The luma that 95 % of the pixels do not exceed."""
    bars: Bars
    pattern: Pattern
    alpha: Extrema | None = None
    """Of its alpha channel, as of a mask; None without one."""


def measure(path: Path) -> Measures:
    """Decode the picture, a JPEG at a fraction of its size, and measure it. Raises PictureError."""
    picture = _normalised(load_picture(path, at_least=SIDE))
    grey = _grey(picture)
    bars = find_bars(grey)
    # A sharp edge of a bar says nothing about the picture between the bars.
    inside = picture.crop(bars.inside(picture.size)) if bars != NO_BARS else picture
    darkest, brightest = np.percentile(grey, (5, 95))
    return Measures(
        sharpness_of(inside),
        round(darkest),
        round(brightest),
        bars,
        pattern_of(picture),
        mask_extrema(path, is_alpha=True) if _has_alpha(path) else None,
    )


def _has_alpha(path: Path) -> bool:
    with open_picture(path) as image:
        return has_alpha(image)


def mask_extrema(path: Path, *, is_alpha: bool) -> Extrema:
    """Of a mask: a file's, or a picture's alpha channel. Raises PictureError."""
    low, high = load_mask(path, is_alpha=is_alpha).getextrema()
    assert isinstance(low, int) and isinstance(high, int)
    return low, high


def sharpness_of(picture: Image.Image) -> float | None:
    """As in `Measures`; ``picture`` is RGB or L and not enlarged before."""
    grey = picture.convert("L")
    blurred = grey.filter(ImageFilter.BoxBlur(1))
    values = _grey(grey)
    contrast = _tiles(values).std(axis=1)
    shows = contrast >= _CONTRAST
    if shows.sum() < _FEW_TILES:
        return None
    fine = _tiles(_laplacian(values)).std(axis=1)[shows]
    left = _tiles(_laplacian(_grey(blurred))).std(axis=1)[shows]
    ratio = np.sort(fine / (left + 1.0))
    count = max(_FEW_TILES, math.ceil(len(contrast) * _SHARPEST))
    return round(float(np.median(ratio[-count:])), 3)


def _normalised(picture: Image.Image) -> Image.Image:
    """Scaled down to the area; never up."""
    scale = SIDE / math.sqrt(picture.width * picture.height)
    if scale >= 1:
        return picture
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _grey(picture: Image.Image) -> Array:
    return np.asarray(picture.convert("L"), dtype=np.float32)


def _laplacian(values: Array) -> Array:
    padded = np.pad(values, 1, mode="edge")
    above, below = padded[:-2, 1:-1], padded[2:, 1:-1]
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    return above + below + left + right - 4 * values


def _tiles(values: Array) -> Array:
    """(tiles, pixels of a tile); what does not fill a tile at the right and below is left out,
    and a picture smaller than a tile is one."""
    height, width = values.shape
    tall, wide = min(_TILE, height), min(_TILE, width)
    rows, columns = height // tall, width // wide
    cut = values[: rows * tall, : columns * wide].reshape(rows, tall, columns, wide)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, tall * wide)
