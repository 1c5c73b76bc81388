"""From keys to tensors. One generator per sample, on the CPU: `randn(2, n)` is not two `randn(n)`,
and another device's generator gives other numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..dataset.plan import Draw
from ..randomness import key, uniform

NOISE = "noise"
VAE_NOISE = "vae noise"
TIMESTEP = "timestep"
NOISE_OFFSET = "noise offset"
NOISE_OFFSET_STRENGTH = "noise offset strength"
MULTIRES_NOISE = "multires noise"
MULTIRES_SCALE = "multires scale"
PERTURBATION = "input perturbation"
PERTURBATION_STRENGTH = "input perturbation strength"
_FLOAT_BITS = 24


def normal(draws: Sequence[Draw], seed: int, purpose: str, shape: Sequence[int]) -> torch.Tensor:
    """Standard normal numbers, (B, *shape) fp32 on the CPU; each sample's from its own key."""
    return torch.stack(
        [torch.randn(tuple(shape), generator=_generator(draw.key(seed, purpose))) for draw in draws]
    )


def uniforms(draws: Sequence[Draw], seed: int, purpose: str) -> torch.Tensor:
    """Numbers in [0, 1), (B,) fp32 on the CPU."""
    # Cut to what fp32 holds: rounding would now and then give 1.0, a timestep too many.
    scale = 1 << _FLOAT_BITS
    return torch.tensor([int(uniform(draw.key(seed, purpose)) * scale) / scale for draw in draws])


def seed_global_generators(seed: int, step: int, micro_batch: int) -> None:
    """Make what a model draws on its own (dropout) depend on the place in the run alone, not on
    what was drawn before a resume."""
    draw = key(seed, "model", step, micro_batch)
    # torch.manual_seed would, without a GPU, take 2 ms to remember the call for when there is one.
    torch.default_generator.manual_seed(draw)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(draw)


def _generator(draw: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(draw)
