"""The learning rates of a run: a pure function of the absolute step, so that nothing about them has
to be stored, and a resumed run cannot be off by one. No torch."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..config import OptimizerOptions, Rate

DENOISER = "denoiser"
POLYNOMIAL_END = 1e-7
"""The rate at which the polynomial schedule ends (diffusers' and transformers' ``lr_end``)."""


def base_rates(options: OptimizerOptions, parts: Iterable[str]) -> dict[str, float]:
    """The learning rate before any schedule of each part that is trained.

    ``parts`` are the family's: ``denoiser`` and its text encoders. Parts that are off are left out.
    """
    rates: dict[str, float] = {}
    for part in parts:
        wanted: Rate = (
            options.unet_learning_rate if part == DENOISER else options.text_encoder_learning_rate
        )
        if wanted == "off":
            continue
        rates[part] = options.learning_rate if wanted == "inherit" else float(wanted)
    return rates


def warmup_steps(options: OptimizerOptions, total_steps: int) -> int:
    """``optimizer.warmup`` in steps: below 1 it is a share of all steps, rounded down."""
    warmup = options.warmup
    return int(warmup * total_steps) if warmup < 1 else int(warmup)


def rate_factor(options: OptimizerOptions, steps_done: int, total_steps: int) -> float:
    """What the base rate is multiplied by in the step after ``steps_done`` steps.

    The shapes are those of ``get_scheduler`` in diffusers and transformers, which agree with each
    other; also, as there, the first step of a warmup has rate 0. One difference: ``constant``
    obeys the warmup (theirs is then called ``constant_with_warmup``).
    """
    warmup = warmup_steps(options, total_steps)
    if steps_done < warmup:
        return steps_done / warmup
    if options.scheduler == "constant":
        return 1.0
    # The whole run may be warmup; the schedule proper then has no length to divide by.
    progress = (steps_done - warmup) / max(1, total_steps - warmup)
    match options.scheduler:
        case "linear":
            return max(0.0, 1 - progress)
        case "cosine":
            return max(0.0, 0.5 * (1 + math.cos(math.pi * progress)))
        case "cosine_with_restarts":
            if progress >= 1:
                return 0.0
            place = options.restarts * progress % 1.0
            return max(0.0, 0.5 * (1 + math.cos(math.pi * place)))
        case "polynomial":
            if progress > 1:
                return POLYNOMIAL_END / options.learning_rate
            span = options.learning_rate - POLYNOMIAL_END
            rate = span * (1 - progress) ** options.power + POLYNOMIAL_END
            return rate / options.learning_rate


def learning_rates(
    options: OptimizerOptions, base: dict[str, float], steps_done: int, total_steps: int
) -> dict[str, float]:
    """The rate of each trained part in the step after ``steps_done`` steps."""
    factor = rate_factor(options, steps_done, total_steps)
    return {part: rate * factor for part, rate in base.items()}
