"""Which size each picture is trained at, and how it comes into it.

The rule is sd-scripts' (``library/model_util.py``, ``make_bucket_resolutions``, and
``BucketManager.select_bucket``), so that a dataset is cut as the files in the wild were. Better
here: the longest side is twice the resolution by default (1024 starves wide pictures at 1024 px),
and it also holds for ``upscale = false``, where a very long picture divided by zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import DatasetOptions
from ..errors import Problem
from ..families.base import FamilySpec
from .plan import Bucket, Crop


@dataclass(frozen=True)
class BucketRule:
    """Everything the assignment depends on. Sides in pixels; ``buckets`` sorted."""

    width: int
    height: int
    step: int
    min_side: int
    max_side: int
    upscale: bool
    buckets: tuple[Bucket, ...]

    @classmethod
    def of(cls, options: DatasetOptions, spec: FamilySpec) -> BucketRule:
        """The rule of a dataset; raises BucketError when no bucket fits the options."""
        width, height = _resolution(options, spec)
        step = options.bucket_step or spec.bucket_step
        if min(width, height) < step:
            raise BucketError(
                f"A resolution of {width}x{height} is below the bucket step of {step}.",
                "dataset.resolution",
                f"Use at least {step}, or a smaller dataset.bucket_step.",
            )
        if not options.buckets:
            single = Bucket(_down(width, step), _down(height, step))
            return cls(width, height, step, step, max(width, height), True, (single,))
        min_side, max_side = _sides(options, width, height, step)
        buckets = make_bucket_resolutions(width * height, step, min_side, max_side)
        return cls(width, height, step, min_side, max_side, options.upscale, buckets)

    @property
    def area(self) -> int:
        return self.width * self.height

    def assign(self, width: int, height: int) -> tuple[Bucket, Crop]:
        """The bucket of a picture of ``width`` x ``height`` pixels and the way into it."""
        if not self.upscale:
            return self._assign_without_upscale(width, height)
        bucket = closest(width, height, self.buckets)
        return bucket, cover(width, height, bucket)

    def _assign_without_upscale(self, width: int, height: int) -> tuple[Bucket, Crop]:
        scaled = (width, height)
        if width * height > self.area:
            scaled = _shrunk(width, height, self.area, self.step)
        bucket = Bucket(self._side(scaled[0]), self._side(scaled[1]))
        if scaled[0] < bucket.width or scaled[1] < bucket.height:
            # Narrower than one step: there is no smaller bucket, so it is enlarged after all.
            return bucket, cover(width, height, bucket)
        return bucket, _centred(*scaled, bucket)

    def _side(self, length: int) -> int:
        return min(max(_down(length, self.step), self.step), self.max_side)


class BucketError(Exception):
    """The options leave no bucket."""

    def __init__(self, message: str, where: str, remedy: str) -> None:
        super().__init__(message)
        self.problem = Problem(message, where, remedy=remedy)


def make_bucket_resolutions(
    area: int, step: int, min_side: int, max_side: int
) -> tuple[Bucket, ...]:
    """All buckets of at most ``area`` pixels with sides in multiples of ``step``, sorted.

    Raises nothing; there is always the square one when ``area`` is at least ``step`` squared.
    """
    square = math.isqrt(area) // step * step
    sizes = {(square, square)}
    for width in range(min_side, max_side + 1, step):
        height = min(max_side, area // width // step * step)
        if height >= min_side:
            sizes |= {(width, height), (height, width)}
    return tuple(Bucket(*size) for size in sorted(sizes))


def closest(width: int, height: int, buckets: Sequence[Bucket]) -> Bucket:
    """The picture's exact size if it is a bucket, else the bucket of the nearest aspect ratio; the
    first in sorted order among equals, as in sd-scripts."""
    exact = Bucket(width, height)
    if exact in buckets:
        return exact
    aspect = width / height
    return min(buckets, key=lambda bucket: abs(bucket.width / bucket.height - aspect))


def cover(width: int, height: int, bucket: Bucket) -> Crop:
    """Scale so that the bucket is just covered, crop in the middle."""
    if width * bucket.height > height * bucket.width:
        scaled = (_rounded(width * bucket.height, height), bucket.height)
    else:
        scaled = (bucket.width, _rounded(height * bucket.width, width))
    return _centred(*scaled, bucket)


def kept_share(crop: Crop, bucket: Bucket) -> float:
    """How much of the picture is left after the crop, 0 to 1."""
    return bucket.width * bucket.height / (crop.scaled_width * crop.scaled_height)


def _centred(scaled_width: int, scaled_height: int, bucket: Bucket) -> Crop:
    return Crop(
        scaled_width,
        scaled_height,
        (scaled_width - bucket.width) // 2,
        (scaled_height - bucket.height) // 2,
    )


def _shrunk(width: int, height: int, area: int, step: int) -> tuple[int, int]:
    """The size of about ``area`` with the picture's aspect ratio, one side a multiple of the step:
    the side whose rounding distorts the aspect of the bucket less."""
    aspect = width / height
    wide = math.sqrt(area * aspect)
    from_width = _down(int(wide + 0.5), step)
    from_height = _down(int(area / wide + 0.5), step)
    width_error = _aspect_error(from_width, int(from_width / aspect + 0.5), aspect, step)
    height_error = _aspect_error(int(from_height * aspect + 0.5), from_height, aspect, step)
    if math.isinf(width_error) and math.isinf(height_error):
        # So narrow that neither side's rounding leaves a bucket (a division by zero in sd-scripts).
        return max(1, round(wide)), max(1, round(area / wide))
    if width_error < height_error:
        return max(1, from_width), max(1, int(from_width / aspect + 0.5))
    return max(1, int(from_height * aspect + 0.5)), max(1, from_height)


def _aspect_error(width: int, height: int, aspect: float, step: int) -> float:
    width, height = _down(width, step), _down(height, step)
    return abs(width / height - aspect) if width and height else math.inf


def _resolution(options: DatasetOptions, spec: FamilySpec) -> tuple[int, int]:
    value = options.resolution if options.resolution is not None else spec.native_resolution
    sides = [value, value] if isinstance(value, int) else list(value)
    if len(sides) == 1:
        sides *= 2
    if len(sides) != 2 or not all(0 < side <= 8192 for side in sides):
        raise BucketError(
            f"{value} is not a resolution.",
            "dataset.resolution",
            "Give one side such as 512, or [width, height], up to 8192.",
        )
    return sides[0], sides[1]


def _sides(options: DatasetOptions, width: int, height: int, step: int) -> tuple[int, int]:
    """The shortest and longest side: what the user gave, kept within, else half the shorter and
    twice the longer side of the resolution; in multiples of the step."""
    low = options.bucket_min_side or min(width, height) // 2
    high = options.bucket_max_side or max(width, height) * 2
    min_side = -(-low // step) * step if options.bucket_min_side else max(step, _down(low, step))
    max_side = _down(high, step)
    square = math.isqrt(width * height) // step * step
    if min_side > square:
        raise BucketError(
            f"The shortest side of a bucket, {low}, is above the resolution of {width}x{height}.",
            "dataset.bucket_min_side",
            f"Use at most {square}.",
        )
    if max_side < square:
        raise BucketError(
            f"The longest side of a bucket, {high}, is below the resolution of {width}x{height}.",
            "dataset.bucket_max_side",
            f"Use at least {square}.",
        )
    return min_side, max_side


def _down(length: int, step: int) -> int:
    return length // step * step


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
