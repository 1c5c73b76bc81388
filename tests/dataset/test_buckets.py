"""Buckets against the rule worked out another way, by trying every size there is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from datasets import SPEC
from hypothesis import assume, given
from hypothesis import strategies as st
from lora_wizard.core.config import DatasetOptions
from lora_wizard.core.dataset.buckets import (
    BucketError,
    BucketRule,
    closest,
    cover,
    make_bucket_resolutions,
)
from lora_wizard.core.dataset.plan import Bucket

SIDES = st.integers(1, 6000)
STEPS = st.sampled_from([8, 16, 32, 64])


def every_bucket(area: int, step: int, low: int, high: int) -> set[tuple[int, int]]:
    """For each width the tallest allowed height of at most the area, and the same lying."""
    multiples = [step * count for count in range(1, 300)]
    found = set()
    for width in [low + step * count for count in range(300) if low + step * count <= high]:
        heights = [side for side in multiples if side <= high and side * width <= area]
        if heights and max(heights) >= low:
            found |= {(width, max(heights)), (max(heights), width)}
    squares = [side for side in multiples if side * side <= area]
    return found | {(max(squares), max(squares))}


@given(st.integers(64, 2048), st.integers(64, 2048), STEPS, st.data())
def test_buckets_are_those_of_the_rule(
    width: int, height: int, step: int, data: st.DataObject
) -> None:
    area = width * height
    square = math.isqrt(area) // step
    low = data.draw(st.integers(1, square)) * step
    high = data.draw(st.integers(square, 4 * square)) * step
    assume(high <= 299 * step)
    made = make_bucket_resolutions(area, step, low, high)
    assert {(bucket.width, bucket.height) for bucket in made} == every_bucket(area, step, low, high)
    assert list(made) == sorted(set(made))


def test_buckets_of_stable_diffusion_1_are_the_known_ones() -> None:
    rule = BucketRule.of(DatasetOptions(), SPEC)
    tall = [(256, side) for side in (832, 896, 960, 1024)]
    tall += [(320, 704), (320, 768), (384, 640), (448, 576)]
    wide = [(height, width) for width, height in tall]
    assert rule.buckets == tuple(Bucket(*size) for size in sorted([*tall, (512, 512), *wide]))


@given(SIDES, SIDES)
def test_the_exact_size_wins_then_the_nearest_aspect(width: int, height: int) -> None:
    buckets = BucketRule.of(DatasetOptions(), SPEC).buckets
    chosen = closest(width, height, buckets)
    if Bucket(width, height) in buckets:
        assert chosen == Bucket(width, height)
        return
    error = abs(chosen.width / chosen.height - width / height)
    others = [abs(other.width / other.height - width / height) for other in buckets]
    assert error <= min(others)


def test_the_exact_size_wins_over_an_equal_aspect() -> None:
    buckets = (Bucket(256, 256), Bucket(512, 512))
    assert closest(512, 512, buckets) == Bucket(512, 512)
    assert closest(600, 600, buckets) == Bucket(256, 256)


@given(SIDES, SIDES, st.sampled_from(BucketRule.of(DatasetOptions(), SPEC).buckets))
def test_a_picture_just_covers_its_bucket_and_is_cut_in_the_middle(
    width: int, height: int, bucket: Bucket
) -> None:
    crop = cover(width, height, bucket)
    over = crop.scaled_width - bucket.width, crop.scaled_height - bucket.height
    assert min(over) == 0
    assert over == (max(over[0], 0), max(over[1], 0))
    assert (crop.left, crop.top) == (over[0] // 2, over[1] // 2)
    scale = max(bucket.width / width, bucket.height / height)
    assert abs(crop.scaled_width - width * scale) <= 0.501
    assert abs(crop.scaled_height - height * scale) <= 0.501


@given(SIDES, SIDES)
def test_without_upscale_small_pictures_keep_their_pixels(width: int, height: int) -> None:
    rule = BucketRule.of(DatasetOptions(upscale=False), SPEC)
    bucket, crop = rule.assign(width, height)
    assert bucket.width % 64 == bucket.height % 64 == 0
    assert 64 <= bucket.width <= 1024
    assert 64 <= bucket.height <= 1024
    assert 0 <= crop.left <= crop.scaled_width - bucket.width
    assert 0 <= crop.top <= crop.scaled_height - bucket.height
    if min(width, height) >= 64 and width * height <= rule.area:
        assert (crop.scaled_width, crop.scaled_height) == (width, height)
        assert bucket == Bucket(min(width // 64 * 64, 1024), min(height // 64 * 64, 1024))


@given(st.integers(513, 6000), st.integers(513, 6000))
def test_without_upscale_large_pictures_shrink_to_the_area(width: int, height: int) -> None:
    rule = BucketRule.of(DatasetOptions(upscale=False, bucket_max_side=8192), SPEC)
    bucket, crop = rule.assign(width, height)
    aspect = width / height
    ideal_width = math.sqrt(rule.area * aspect)
    ideal_height = ideal_width / aspect
    # One side is the ideal one rounded down to the step, whichever distorts the bucket less.
    by_width = math.floor(ideal_width + 0.5) // 64 * 64
    by_height = math.floor(ideal_height + 0.5) // 64 * 64
    ways = [
        (by_width, math.floor(by_width / aspect + 0.5)),
        (math.floor(by_height * aspect + 0.5), by_height),
    ]
    errors = [abs((w // 64) / (h // 64) - aspect) if h >= 64 else math.inf for w, h in ways]
    assert (crop.scaled_width, crop.scaled_height) == ways[0 if errors[0] < errors[1] else 1]
    assert bucket == Bucket(crop.scaled_width // 64 * 64, crop.scaled_height // 64 * 64)


def test_a_panorama_without_upscale_does_not_divide_by_zero() -> None:
    rule = BucketRule.of(DatasetOptions(upscale=False), SPEC)
    bucket, crop = rule.assign(20_000, 100)
    assert bucket == Bucket(1024, 64)
    assert crop.scaled_height == 64


def test_without_buckets_every_picture_comes_to_the_resolution() -> None:
    rule = BucketRule.of(DatasetOptions(buckets=False, resolution=[448, 640]), SPEC)
    assert {rule.assign(*size)[0] for size in ((1, 9), (9, 1), (5000, 5000))} == {Bucket(448, 640)}


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"resolution": 32}, "dataset.resolution"),
        ({"bucket_min_side": 640}, "dataset.bucket_min_side"),
        ({"bucket_max_side": 448}, "dataset.bucket_max_side"),
    ],
)
def test_options_that_leave_no_bucket_are_named(options: dict[str, Any], where: str) -> None:
    with pytest.raises(BucketError) as caught:
        BucketRule.of(DatasetOptions(**options), SPEC)
    assert caught.value.problem.where == where
    assert caught.value.problem.remedy


def test_given_limits_of_sides_are_kept_in_multiples_of_the_step() -> None:
    rule = BucketRule.of(DatasetOptions(bucket_min_side=300, bucket_max_side=800), SPEC)
    sides = [side for bucket in rule.buckets for side in (bucket.width, bucket.height)]
    assert (min(sides), max(sides)) == (320, 768)


def test_the_family_s_resolution_and_step_are_the_defaults() -> None:
    spec = replace(SPEC, native_resolution=64, bucket_step=16)
    rule = BucketRule.of(DatasetOptions(), spec)
    assert (rule.min_side, rule.max_side, rule.step) == (32, 128, 16)
    assert Bucket(64, 64) in rule.buckets
