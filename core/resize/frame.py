"""Which part of a picture becomes how large a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..config import DatasetOptions
from ..dataset.buckets import BucketError, BucketRule, cover
from ..dataset.plan import Bucket, Crop
from ..errors import ProblemsError
from ..families.base import FamilySpec

How = Literal["crop", "fit", "pad"]
Size = tuple[int, int]
"""Width, height."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright picture."""
Point = tuple[float, float]
"""Of a picture, as shares of its width and height."""
MIDDLE: Point = (0.5, 0.5)


@dataclass(frozen=True)
class Frame:
    """``box`` of the picture, scaled to ``scaled`` and set into the middle of ``size``."""

    box: Box
    scaled: Size
    size: Size


@dataclass(frozen=True)
class Target:
    """What size copies get: one for all, or that of the bucket each would be trained in."""

    size: Size
    rule: BucketRule | None = None
    enlarge: bool = True

    @classmethod
    def buckets(cls, resolution: Size, spec: FamilySpec, *, enlarge: bool = True) -> Target:
        """The buckets of training at ``resolution``. Raises ProblemsError where there are none."""
        options = DatasetOptions(resolution=list(resolution), upscale=enlarge)
        try:
            return cls(resolution, BucketRule.of(options, spec), enlarge)
        except BucketError as error:
            raise ProblemsError("The resolution cannot be used", [error.problem]) from error

    def __str__(self) -> str:
        width, height = self.size
        name = f"{width}" if width == height else f"{width}x{height}"
        return f"buckets:{name}" if self.rule else f"{width}x{height}"

    def assign(self, size: Size) -> tuple[Bucket, Crop]:
        """The size of the copy of a picture of ``size`` and the middle crop into it."""
        if self.rule:
            return self.rule.assign(*size)
        bucket = Bucket(*self.size)
        crop = cover(*size, bucket)
        if not self.enlarge and crop.scaled_width > size[0]:
            # As much of it as has the shape, at its own size.
            scale = size[0] / crop.scaled_width
            bucket = Bucket(_at_least_1(bucket.width * scale), _at_least_1(bucket.height * scale))
            crop = Crop(*size, (size[0] - bucket.width) // 2, (size[1] - bucket.height) // 2)
        return bucket, crop


def frame_of(size: Size, target: Target, how: How, at: Point = MIDDLE) -> Frame:
    """The frame of a picture of ``size``; for a crop as near to having ``at`` in its middle as the
    edges allow."""
    bucket, crop = target.assign(size)
    whole = (0.0, 0.0, float(size[0]), float(size[1]))
    if how == "crop":
        across, down = size[0] / crop.scaled_width, size[1] / crop.scaled_height
        box = (
            crop.left * across,
            crop.top * down,
            (crop.left + bucket.width) * across,
            (crop.top + bucket.height) * down,
        )
        final = (bucket.width, bucket.height)
        return Frame(box if at == MIDDLE else moved(box, size, at), final, final)
    if not target.rule:
        bucket = Bucket(*target.size)
    scale = min(bucket.width / size[0], bucket.height / size[1])
    if not target.enlarge:
        scale = min(scale, 1.0)
    scaled = _at_least_1(size[0] * scale), _at_least_1(size[1] * scale)
    return Frame(whole, scaled, scaled if how == "fit" else (bucket.width, bucket.height))


def frame_of_box(box: Box, target: Target) -> Frame:
    """The frame of a box that was set by hand; its shape is kept."""
    size = _at_least_1(box[2] - box[0]), _at_least_1(box[3] - box[1])
    bucket, _ = target.assign(size)
    final = (bucket.width, bucket.height)
    return Frame(box, final, final)


def moved(box: Box, size: Size, at: Point) -> Box:
    """``box`` with its middle at ``at``, or as near to it as the edges allow."""
    width, height = box[2] - box[0], box[3] - box[1]
    left = min(max(0.0, at[0] * size[0] - width / 2), max(0.0, size[0] - width))
    top = min(max(0.0, at[1] * size[1] - height / 2), max(0.0, size[1] - height))
    return left, top, left + width, top + height


def _at_least_1(length: float) -> int:
    return max(1, round(length))
