"""Augmentation: what each use of a picture shows, against Pillow's and numpy's own."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from datasets import make_config, make_plan
from lora_wizard.core.dataset.pixels import crop_picture
from lora_wizard.core.dataset.plan import Bucket, Crop, Draw, Sample
from lora_wizard.core.dataset.views import (
    ColorShift,
    View,
    plain_view,
    shift_colors,
    show,
    view_of,
    views_to_cache,
)
from PIL import Image

BUCKET = Bucket(64, 48)


def sample(number: int = 0) -> Sample:
    plan = make_plan([(BUCKET, 5)])
    crop = Crop(80, 50, 8, 1)
    return replace(plan.samples[0], id=f"mika/{number}.png", crop=crop, width=160, height=100)


def noise(width: int = 160, height: int = 100) -> Image.Image:
    levels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels)


def views(count: int = 400, **augmentation: bool) -> list[View]:
    config = make_config(augmentation=augmentation)
    return [view_of(Draw(sample(n // 4), 1 + n % 2, n // 2 % 2), config) for n in range(count)]


def test_nothing_varies_unless_it_is_asked_for() -> None:
    assert views(8) == [plain_view(sample(n // 4)) for n in range(8)]
    picture = noise()
    cut = crop_picture(picture, sample().crop, BUCKET)
    assert show(picture, plain_view(sample())).tobytes() == cut.tobytes()


def test_half_of_the_uses_are_mirrored_each_by_its_own_key() -> None:
    found = views(flip=True)
    count = sum(view.is_flipped for view in found)
    assert 150 < count < 250
    assert {view.crop for view in found} == {sample().crop}
    again = views(flip=True)
    assert found == again
    other = make_config(augmentation={"flip": True}, training={"seed": 1})
    draws = [Draw(sample(n), 1, 0) for n in range(64)]
    assert [view_of(draw, other).is_flipped for draw in draws] != [
        view_of(draw, make_config(augmentation={"flip": True})).is_flipped for draw in draws
    ]


def test_a_mirrored_picture_is_pillows_transposed_one() -> None:
    picture = noise()
    plain = show(picture, plain_view(sample()))
    flipped = replace(plain_view(sample()), is_flipped=True)
    expected = plain.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert show(picture, flipped).tobytes() == expected.tobytes()
    # As the cut lies in the mirrored whole.
    assert (plain_view(sample()).left, flipped.left) == (8, 80 - 64 - 8)


def test_a_random_crop_is_anywhere_within_and_a_slice_of_the_scaled_picture() -> None:
    found = views(800, random_crop=True)
    lefts, tops = (Counter(getattr(view.crop, side) for view in found) for side in ("left", "top"))
    assert set(lefts) == set(range(17)) and set(tops) == {0, 1, 2}
    assert len({(view.crop.left, view.crop.top) for view in found}) == 17 * 3
    assert max(lefts.values()) < 3 * min(lefts.values())
    picture = noise(80, 50)
    for view in found[:5]:
        rows = slice(view.crop.top, view.crop.top + 48)
        columns = slice(view.crop.left, view.crop.left + 64)
        expected = np.asarray(picture)[rows, columns]
        assert np.array_equal(np.asarray(show(picture, view)), expected)


def test_a_picture_that_fits_has_one_crop() -> None:
    exact = replace(sample(), crop=Crop(64, 48, 0, 0))
    config = make_config(augmentation={"random_crop": True})
    assert {view_of(Draw(exact, n, 0), config).crop for n in range(9)} == {exact.crop}


def test_what_is_cached_is_what_uses_show() -> None:
    for augmentation in ({}, {"flip": True}):
        config = make_config(augmentation=augmentation)
        cached = views_to_cache(sample(), config)
        assert {view_of(Draw(sample(), n, 0), config) for n in range(32)} == set(cached)
        assert len(cached) == 1 + len(augmentation)


def test_colours_vary_mildly_and_evenly() -> None:
    shifts = [view.color for view in views(color=True)]
    for name, middle, most in (
        ("hue", 0.0, 10.0),
        ("saturation", 1.0, 0.1),
        ("contrast", 1.0, 0.05),
        ("gamma", 1.0, 0.05),
    ):
        values = np.array([getattr(shift, name) for shift in shifts])
        assert np.abs(values - middle).max() <= most
        assert values.std() == pytest.approx(most / math.sqrt(3), rel=0.1)
        assert values.mean() == pytest.approx(middle, abs=most * 0.15)
    hues, gammas = ([getattr(shift, name) for shift in shifts] for name in ("hue", "gamma"))
    assert abs(np.corrcoef(hues, gammas)[0, 1]) < 0.15


@pytest.mark.parametrize(
    "shift",
    [
        ColorShift(0, 1, 1, 1),
        ColorShift(7, 1, 1, 1),
        ColorShift(-10, 0.9, 1, 1),
        ColorShift(3, 1.1, 0.95, 1.05),
        ColorShift(120, 1, 1, 1),
    ],
)
def test_colours_are_shifted_as_calculated_with_complex_numbers(shift: ColorShift) -> None:
    """Hue as a turn in the plane across the grey axis, on which two axes are chosen by hand."""
    levels = np.asarray(noise(40, 30), dtype=float)
    grey = levels.mean(axis=2, keepdims=True)
    one, other = np.array([1, -1, 0]) / math.sqrt(2), np.array([1, 1, -2]) / math.sqrt(6)
    turned = ((levels - grey) @ one + 1j * ((levels - grey) @ other)) * np.exp(
        1j * math.radians(shift.hue)
    )
    turned = grey + turned.real[..., None] * one + turned.imag[..., None] * other
    luma = turned @ np.array([0.299, 0.587, 0.114])
    mixed = (luma[..., None] + shift.saturation * (turned - luma[..., None])).clip(0, 255)
    stretched = ((mixed - 127.5) * shift.contrast + 127.5).clip(0, 255)
    expected = 255 * (stretched / 255) ** shift.gamma
    got = np.asarray(shift_colors(noise(40, 30), shift), dtype=float)
    assert np.abs(got - expected).max() <= 1.6
    if shift.hue == 120:
        assert np.array_equal(got, levels[..., [2, 0, 1]])


def test_colours_do_not_lead_to_numpy_or_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from lora_wizard.core.dataset import views, masks; from PIL import Image;"
        "views.shift_colors(Image.new('RGB', (2, 2)), views.ColorShift(1, 1, 1, 1));"
        "print(*({'torch', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
