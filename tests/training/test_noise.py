"""Multires noise against a calculation with numpy, and every strength from its own key."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
import torch
from datasets import sample_of
from lora_wizard.core.config import LossOptions
from lora_wizard.core.dataset.plan import Draw
from lora_wizard.core.randomness import uniform
from lora_wizard.core.training import draws as keyed
from lora_wizard.core.training import noise as noises
from numpy.typing import NDArray

DRAWS = [Draw(sample_of(number), 1, 0) for number in range(4)]
SHAPE = (4, 12, 20)
Array = NDArray[numpy.float64]


def stretched(small: Array, height: int, width: int) -> Array:
    """Bilinear, with the centres of pixels half a pixel inside the edges."""

    def places(count: int, to: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64], Array]:
        at = numpy.clip((numpy.arange(to) + 0.5) * count / to - 0.5, 0, None)
        below = numpy.floor(at).astype(int)
        return below, numpy.minimum(below + 1, count - 1), at - below

    top, bottom, down = places(small.shape[1], height)
    left, right, along = places(small.shape[2], width)
    rows = small[:, top] * (1 - down)[:, None] + small[:, bottom] * down[:, None]
    return rows[:, :, left] * (1 - along) + rows[:, :, right] * along


def by_hand(draw: Draw, seed: int, iterations: int, discount: float) -> Array:
    channels, height, width = SHAPE
    total = keyed.normal([draw], seed, keyed.NOISE, SHAPE)[0].double().numpy()
    for layer in range(iterations):
        ratio = (2 + 2 * uniform(draw.key(seed, f"{keyed.MULTIRES_SCALE} {layer}"))) ** layer
        h, w = max(1, int(height / ratio)), max(1, int(width / ratio))
        purpose = f"{keyed.MULTIRES_NOISE} {layer}"
        small = keyed.normal([draw], seed, purpose, (channels, h, w))[0].double().numpy()
        total = total + stretched(small, height, width) * discount**layer
        if h == 1 or w == 1:
            break
    return total / total.std(ddof=1)


@pytest.mark.parametrize(("iterations", "discount"), [(1, 0.3), (3, 0.8), (64, 0.5)])
def test_layers_are_stretched_and_added(iterations: int, discount: float) -> None:
    plain = keyed.normal(DRAWS, 5, keyed.NOISE, SHAPE)
    found = noises.multires_noise(plain, DRAWS, 5, iterations, discount)
    expected = [by_hand(draw, 5, iterations, discount) for draw in DRAWS]
    numpy.testing.assert_allclose(found, numpy.stack(expected), atol=2e-5)


def test_a_sample_has_the_same_layers_in_whatever_company() -> None:
    plain = keyed.normal(DRAWS, 5, keyed.NOISE, SHAPE)
    together = noises.multires_noise(plain, DRAWS, 5, 6, 0.5)
    for index, draw in enumerate(DRAWS):
        alone = noises.multires_noise(plain[index : index + 1], [draw], 5, 6, 0.5)
        assert torch.equal(alone[0], together[index])
    torch.testing.assert_close(together.flatten(1).std(dim=1), torch.ones(4))


def test_multires_noise_moves_large_areas() -> None:
    draws = [replace(DRAWS[0], epoch=epoch) for epoch in range(1, 201)]
    plain = keyed.normal(draws, 5, keyed.NOISE, (4, 16, 16))
    coarse = noises.multires_noise(plain, draws, 5, 8, 0.8)
    assert coarse.mean(dim=(2, 3)).std() > 3 * plain.mean(dim=(2, 3)).std()


def test_strengths_are_whole_or_drawn_for_each_sample() -> None:
    fixed = LossOptions(noise_offset=0.2, input_perturbation=0.1)
    assert noises.offset_strengths(DRAWS, 1, fixed).tolist() == pytest.approx([0.2] * 4)
    assert noises.perturbation_strengths(DRAWS, 1, fixed).tolist() == pytest.approx([0.1] * 4)
    varied = LossOptions(
        noise_offset=0.2,
        noise_offset_random_strength=True,
        input_perturbation=0.2,
        input_perturbation_random_strength=True,
    )
    draws = [replace(DRAWS[0], epoch=epoch) for epoch in range(1, 401)]
    offsets = noises.offset_strengths(draws, 1, varied)
    others = noises.perturbation_strengths(draws, 1, varied)
    for strengths in (offsets, others):
        assert 0 <= strengths.min() < 0.01 and 0.19 < strengths.max() <= 0.2
        assert strengths.mean().item() == pytest.approx(0.1, abs=0.01)
    assert not torch.equal(offsets, others)
    assert noises.offset_strengths(draws[7:8], 1, varied)[0] == offsets[7]
