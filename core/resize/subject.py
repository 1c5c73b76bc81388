"""Where a picture's subject seems to be: where edges are, and colours that the rest has not.

No model and no faces: detail and colour contrast summed over every place that the crop could have.
It finds what stands out from a calm ground; in a crowd it knows no more than the middle does.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .frame import Point

_SIDE = 128
_MIDDLE_WEIGHT = 0.25
"""How much less the corners count than the middle: among equals, photographers aim."""


def subject_point(picture: Image.Image, shares: tuple[float, float]) -> Point:
    """The middle, as shares of the picture, of the place for a crop that shows most of the subject;
    ``shares``: the crop's width and height, likewise. ``picture`` is RGB, of any size."""
    return _best_place(_interest(picture), shares)


def _interest(picture: Image.Image) -> np.ndarray:
    """(height, width), how much each place stands out."""
    scale = min(1.0, _SIDE / max(picture.size))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture.resize(size, Image.Resampling.BOX)
    luma, blue, red = np.moveaxis(np.asarray(small.convert("YCbCr"), dtype=np.float32), 2, 0)
    edges = np.abs(np.diff(luma, axis=0, append=luma[-1:])) + np.abs(
        np.diff(luma, axis=1, append=luma[:, -1:])
    )
    rare = np.hypot(blue - np.median(blue), red - np.median(red))
    found = _settled(edges) + _settled(rare)
    down = np.linspace(-1, 1, found.shape[0])[:, None]
    across = np.linspace(-1, 1, found.shape[1])[None, :]
    return found * (1 - _MIDDLE_WEIGHT * np.sqrt((down**2 + across**2) / 2))


def _settled(values: np.ndarray) -> np.ndarray:
    """0 to 1; a few extreme pixels do not outweigh an area, and noise counts nothing."""
    top = float(np.percentile(values, 98))
    if top < 4:
        return np.zeros_like(values)
    return np.clip((values - 2) / top, 0, 1)


def _best_place(interest: np.ndarray, shares: tuple[float, float]) -> Point:
    height, width = interest.shape
    wide = min(width, max(1, round(shares[0] * width)))
    tall = min(height, max(1, round(shares[1] * height)))
    total = np.pad(interest.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    sums = total[tall:, wide:] - total[:-tall, wide:] - total[tall:, :-wide] + total[:-tall, :-wide]
    # Of places that show the same, the one in the middle of them.
    rows, columns = np.nonzero(sums >= sums.max() * 0.999)
    top, left = float(rows.mean()), float(columns.mean())
    return (left + wide / 2) / width, (top + tall / 2) / height
