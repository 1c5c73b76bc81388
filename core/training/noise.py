"""What becomes of the noise before it is added to the latents. All statistics are each sample's
own, so that the update is the same however a batch is split."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..config import LossOptions
from ..dataset.plan import Draw
from . import draws as keyed


def multires_noise(
    noise: torch.Tensor, draws: Sequence[Draw], seed: int, iterations: int, discount: float
) -> torch.Tensor:
    """``noise`` (B, C, h, w) with ever coarser layers of noise in it, scaled to a deviation of 1.

    Layer i is smaller than the latents by a factor of r^i, with r drawn from 2 to 4 for each layer,
    is stretched over them, and counts discount^i; a layer with a side of 1 is the last.

    It teaches a model to move large areas:
    https://wandb.ai/johnowhitaker/multires_noise/reports/Multi-Resolution-Noise-for-Diffusion-Model-Training--VmlldzozNjYyOTU2
    sd-scripts' rule, but for the deviation and r, which it takes of a whole batch.
    """
    return torch.stack(
        [
            _with_layers(one, draw, seed, iterations, discount)
            for one, draw in zip(noise, draws, strict=True)
        ]
    )


def offset_noise(
    noise: torch.Tensor,
    latents: torch.Tensor,
    draws: torch.Tensor,
    offsets: torch.Tensor,
    adaptive_scale: float,
) -> torch.Tensor:
    """Noise with every channel of every sample shifted by a random amount.

    ``noise`` and ``latents`` (B, C, h, w), ``draws`` (B, C) standard normal, ``offsets`` (B,). The
    shift is ``max(0, offset + adaptive_scale * |mean of the channel|) * draw``.

    Plain noise leaves a channel's mean nearly untouched, so a model never learns to move it:
    https://www.crosslabs.org/blog/diffusion-with-offset-noise. The adaptive part is sd-scripts'.
    """
    means = latents.float().mean(dim=(2, 3)).abs()
    strength = (offsets.to(means)[:, None] + adaptive_scale * means).clamp(min=0)
    shift = strength * draws.to(strength)
    return noise + shift[:, :, None, None].to(noise)


def offset_strengths(draws: Sequence[Draw], seed: int, options: LossOptions) -> torch.Tensor:
    """The noise offset of each sample, (B,) on the CPU."""
    most, varies = options.noise_offset, options.noise_offset_random_strength
    return _strengths(draws, seed, most, keyed.NOISE_OFFSET_STRENGTH if varies else "")


def perturbation_strengths(draws: Sequence[Draw], seed: int, options: LossOptions) -> torch.Tensor:
    """The share of noise that is added to each sample's input alone (arXiv 2301.11706), (B,) on
    the CPU."""
    most, varies = options.input_perturbation, options.input_perturbation_random_strength
    return _strengths(draws, seed, most, keyed.PERTURBATION_STRENGTH if varies else "")


def _strengths(draws: Sequence[Draw], seed: int, most: float, purpose: str) -> torch.Tensor:
    """``most`` for every sample, or, with a ``purpose``, what it draws from 0 to ``most``."""
    return (
        keyed.uniforms(draws, seed, purpose) * most if purpose else torch.full([len(draws)], most)
    )


def _with_layers(
    noise: torch.Tensor, draw: Draw, seed: int, iterations: int, discount: float
) -> torch.Tensor:
    channels, *size = noise.shape
    for layer in range(iterations):
        number = keyed.uniforms([draw], seed, f"{keyed.MULTIRES_SCALE} {layer}").item()
        ratio = (2 + 2 * number) ** layer
        small = [max(1, int(side / ratio)) for side in size]
        coarse = keyed.normal([draw], seed, f"{keyed.MULTIRES_NOISE} {layer}", (channels, *small))
        wide = torch.nn.functional.interpolate(coarse, size, mode="bilinear")[0]
        noise = noise + wide * discount**layer
        if 1 in small:
            break
    return noise / noise.std()
