"""Every sampler draws by what the base predicts and by where its noise ends: led by a model that
knows the picture, it must arrive there."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from lora_wizard.core.sampling import samplers

SD: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def kept(timestep: float, *, zero: bool) -> float:
    """abar at a timestep, between two of them on the line of their roots' logarithm."""
    low, high = math.sqrt(0.00085), math.sqrt(0.012)
    roots, product = [], 1.0
    for index in range(1000):
        product *= 1 - (low + (high - low) * index / 999) ** 2
        roots.append(math.sqrt(product))
    if zero:
        first, last = roots[0], roots[-1]
        roots = [(root - last) * first / (first - last) for root in roots]
    below = min(int(timestep), 998)
    share = timestep - below
    sigma = [math.sqrt(max(1 - root**2, 0)) / max(root, 2.0**-12) for root in roots]
    between = math.exp((1 - share) * math.log(sigma[below]) + share * math.log(sigma[below + 1]))
    return 1 / (1 + between**2)


def drawn(sampler: str, config: dict[str, Any], picture: torch.Tensor, *, zero: bool) -> Any:
    scheduler = samplers.build(sampler, {**SD, **config})
    scheduler.set_timesteps(20)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(picture.shape, generator=generator) * scheduler.init_noise_sigma
    first = float(scheduler.timesteps[0])
    for timestep in scheduler.timesteps:
        seen = scheduler.scale_model_input(latents, timestep)
        share = kept(float(timestep), zero=zero)
        noise = (seen - math.sqrt(share) * picture) / math.sqrt(1 - share)
        velocity = math.sqrt(share) * noise - math.sqrt(1 - share) * picture
        told = velocity if config["prediction_type"] == "v_prediction" else noise
        latents = scheduler.step(told, timestep, latents, return_dict=False)[0]
    return latents, first


@pytest.mark.parametrize("kind", ["epsilon", "v", "zero"])
@pytest.mark.parametrize("sampler", list(samplers.SAMPLERS))
def test_a_model_that_knows_the_picture_is_followed_to_it(sampler: str, kind: str) -> None:
    picture = torch.linspace(-2, 2, 48).reshape(1, 3, 4, 4)
    config: dict[str, Any] = {"prediction_type": "epsilon" if kind == "epsilon" else "v_prediction"}
    if kind == "zero":
        config |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    latents, first = drawn(sampler, config, picture, zero=kind == "zero")
    assert (latents - picture).abs().max() < 0.1
    if kind == "zero":
        assert first == 999


def test_the_rescaled_schedule_is_the_same_for_every_sampler() -> None:
    config = {
        **SD,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }
    found = [samplers.build(name, config).alphas_cumprod for name in samplers.SAMPLERS]
    for other in found:
        torch.testing.assert_close(other, found[0], atol=1e-5, rtol=1e-3)
