"""The noise schedule against plain loops, the published algorithm and diffusers' functions."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
import torch
from diffusers import DDPMScheduler
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr
from diffusers.training_utils import compute_snr
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import LossOptions
from lora_wizard.core.families.noise_schedule import NoiseSchedule

SD: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}
CPU = torch.device("cpu")
STEPS = torch.tensor([0, 1, 250, 500, 900, 999])


def schedule(prediction: str = "epsilon", *, zero: bool = False) -> NoiseSchedule:
    said = {"epsilon": "epsilon", "v": "v_prediction"}[prediction]
    return NoiseSchedule({**SD, "prediction_type": said, "rescale_betas_zero_snr": zero}, CPU)


def abar() -> list[float]:
    low, high = math.sqrt(0.00085), math.sqrt(0.012)
    found, product = [], 1.0
    for index in range(1000):
        product *= 1 - (low + (high - low) * index / 999) ** 2
        found.append(product)
    return found


def rescaled() -> list[float]:
    """Algorithm 1 of arXiv 2305.08891, a step at a time."""
    roots = [math.sqrt(value) for value in abar()]
    first, last = roots[0], roots[-1]
    return [((root - last) * first / (first - last)) ** 2 for root in roots]


def test_its_numbers_are_diffusers() -> None:
    scheduler: Any = DDPMScheduler(**SD, prediction_type="v_prediction")
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(6, 4, 5, 3, generator=generator)
    noise = torch.randn(latents.shape, generator=generator)
    ours = schedule("v")
    assert torch.equal(
        ours.add_noise(latents, noise, STEPS), scheduler.add_noise(latents, noise, STEPS)
    )
    assert torch.equal(
        ours.target(latents, noise, STEPS), scheduler.get_velocity(latents, noise, STEPS)
    )
    assert schedule().target(latents, noise, STEPS) is noise
    # Theirs in fp32, where 1 - abar has lost digits at the first steps.
    torch.testing.assert_close(
        ours.snr(STEPS).float(), compute_snr(scheduler, STEPS), rtol=1e-3, atol=1e-6
    )


def test_a_rescaled_schedule_begins_as_before_and_ends_in_noise_alone() -> None:
    ours = schedule("v", zero=True)
    numpy.testing.assert_allclose(ours.abar.double(), rescaled(), rtol=1e-3, atol=1e-6)
    betas = rescale_zero_terminal_snr(DDPMScheduler(**SD).betas)
    torch.testing.assert_close(ours.abar, (1 - betas).cumprod(0))
    assert ours.abar[-1] == 0 and ours.abar[0] == pytest.approx(abar()[0])
    latents, noise = torch.ones(1, 1, 2, 2), torch.full((1, 1, 2, 2), 3.0)
    last = torch.tensor([999])
    assert torch.equal(ours.add_noise(latents, noise, last), noise)
    assert torch.equal(ours.target(latents, noise, last), -latents)


WEIGHTS: list[tuple[str, dict[str, Any], Any]] = [
    ("epsilon", {"min_snr_gamma": 5.0}, lambda snr: min(snr, 5) / snr),
    ("v", {"min_snr_gamma": 5.0}, lambda snr: min(snr, 5) / (snr + 1)),
    ("epsilon", {"debiased": True}, lambda snr: 1 / math.sqrt(min(snr, 1000))),
    ("v", {"debiased": True}, lambda snr: 1 / (min(snr, 1000) + 1)),
    ("v", {"scale_v_like_epsilon": True}, lambda snr: min(snr, 1000) / (min(snr, 1000) + 1)),
    ("epsilon", {"v_like_loss": 0.3}, lambda snr: 1 + 0.3 * (min(snr, 1000) + 1) / min(snr, 1000)),
    (
        "epsilon",
        {"debiased": True, "min_snr_gamma": 2.0},
        lambda snr: min(snr, 2) / snr / math.sqrt(min(snr, 1000)),
    ),
    ("epsilon", {"scale_v_like_epsilon": True}, lambda snr: 1.0),
    ("v", {"v_like_loss": 0.3}, lambda snr: 1.0),
    ("epsilon", {}, lambda snr: 1.0),
]


@pytest.mark.parametrize(("prediction", "options", "rule"), WEIGHTS)
def test_weights_are_the_published_ones(
    prediction: str, options: dict[str, Any], rule: Any
) -> None:
    kept = abar()
    expected = [rule(kept[step] / (1 - kept[step])) for step in STEPS.tolist()]
    found = schedule(prediction).weight(STEPS, LossOptions(**options))
    assert found.dtype == torch.float32
    numpy.testing.assert_allclose(found, expected, rtol=2e-4)


@pytest.mark.parametrize(("prediction", "options", "rule"), WEIGHTS)
def test_weights_are_finite_where_nothing_is_left_of_the_picture(
    prediction: str, options: dict[str, Any], rule: Any
) -> None:
    weights = schedule(prediction, zero=True).weight(torch.arange(1000), LossOptions(**options))
    assert bool(weights.isfinite().all()) and bool((weights >= 0).all())


def test_min_snr_leaves_a_v_base_nothing_to_learn_from_noise_alone() -> None:
    (weight,) = schedule("v", zero=True).weight(torch.tensor([999]), LossOptions(min_snr_gamma=5.0))
    assert weight < 1e-6


@given(
    st.integers(0, 999),
    st.integers(1, 1000),
    st.floats(0, 1, exclude_max=True, allow_subnormal=False),
)
def test_timesteps_stay_within_their_span(first: int, length: int, number: float) -> None:
    end = min(1000, first + length)
    uniforms = torch.tensor([number], dtype=torch.float64)
    drawn = int(schedule().draw_timesteps(uniforms, (first / 1000, end / 1000)))
    assert drawn == first + int(number * (end - first))


def test_every_timestep_of_a_span_is_drawn() -> None:
    uniforms = torch.arange(0, 1, 0.01)
    drawn = schedule().draw_timesteps(uniforms, (0.99, 1.0))
    assert sorted(set(drawn.tolist())) == list(range(990, 1000))
