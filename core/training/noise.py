"""What is added to the noise before it is added to the latents."""

from __future__ import annotations

import torch


def offset_noise(
    noise: torch.Tensor,
    latents: torch.Tensor,
    draws: torch.Tensor,
    offset: float,
    adaptive_scale: float,
) -> torch.Tensor:
    """Noise with every channel of every sample shifted by a random amount.

    ``noise`` and ``latents`` (B, C, h, w), ``draws`` (B, C) standard normal. The shift is
    ``max(0, offset + adaptive_scale * |mean of the channel|) * draw``.

    Plain noise leaves a channel's mean nearly untouched, so a model never learns to move it:
    https://www.crosslabs.org/blog/diffusion-with-offset-noise. The adaptive part is sd-scripts'.
    """
    means = latents.float().mean(dim=(2, 3)).abs()
    strength = (offset + adaptive_scale * means).clamp(min=0)
    shift = strength * draws.to(strength)
    return noise + shift[:, :, None, None].to(noise)
