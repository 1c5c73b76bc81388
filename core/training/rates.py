"""The learning rates of a run: a pure function of the absolute step, so that nothing about them has
to be stored, and a resumed run cannot be off by one. No torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..config import OptimizerOptions, Rate
from ..optimizers.settings import settled

DENOISER = "denoiser"
POLYNOMIAL_END = 1e-7
"""The rate at which the polynomial schedule ends (diffusers' and transformers' ``lr_end``)."""
EFFECTIVE = "effective"
"""Among the rates that are shown of a step: what the optimizer made of them."""


def base_rates(options: OptimizerOptions, parts: Iterable[str]) -> dict[str, float]:
    """The learning rate before any schedule of each part that is trained.

    ``parts`` are the family's: ``denoiser`` and its text encoders. Parts that are off are left out.
    1 where the optimizer makes its own rate.
    """
    rates: dict[str, float] = {}
    for part in parts:
        wanted: Rate = (
            options.unet_learning_rate if part == DENOISER else options.text_encoder_learning_rate
        )
        if wanted == "off":
            continue
        if wanted == "inherit":
            # Optimizers that make their own rate look at none.
            wanted = settled(options).learning_rate or 1.0
        rates[part] = float(wanted)
    return rates


@dataclass(frozen=True)
class RateSchedule:
    """A run's learning rates; ``total_steps`` and ``warmup_steps`` are those of its Schedule.
    ``base`` has one for each group of weights."""

    options: OptimizerOptions
    base: Mapping[str, float]
    total_steps: int
    warmup_steps: int

    def at(self, steps_done: int) -> dict[str, float]:
        """The rate of each group of weights in the step after ``steps_done`` steps."""
        factor = self.factor(steps_done)
        return {part: rate * factor for part, rate in self.base.items()}

    def factor(self, steps_done: int) -> float:
        """What the base rates are multiplied by in the step after ``steps_done`` steps.

        The shapes are those of ``get_scheduler`` in diffusers and transformers, which agree with
        each other; also, as there, the first step of a warmup has rate 0. Two differences:
        ``constant`` obeys the warmup (theirs is then called ``constant_with_warmup``), and a run
        that is all warmup does not divide by zero.
        """
        if steps_done < self.warmup_steps:
            return steps_done / self.warmup_steps
        if self.options.scheduler == "constant":
            return 1.0
        progress = (steps_done - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
        return _SHAPES[self.options.scheduler](min(1.0, progress), self.options)


def _linear(progress: float, options: OptimizerOptions) -> float:
    return 1 - progress


def _cosine(progress: float, options: OptimizerOptions) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _cosine_with_restarts(progress: float, options: OptimizerOptions) -> float:
    if progress >= 1:
        return 0.0
    return 0.5 * (1 + math.cos(math.pi * (options.restarts * progress % 1.0)))


def _polynomial(progress: float, options: OptimizerOptions) -> float:
    rate = settled(options).learning_rate or 1.0
    span = rate - POLYNOMIAL_END
    return (span * (1 - progress) ** options.power + POLYNOMIAL_END) / rate


_SHAPES: dict[str, Callable[[float, OptimizerOptions], float]] = {
    "linear": _linear,
    "cosine": _cosine,
    "cosine_with_restarts": _cosine_with_restarts,
    "polynomial": _polynomial,
}


def shown(rates: Mapping[str, float], effective: float | None) -> dict[str, float]:
    """The ``rates`` of groups by the names that people know, and what the optimizer made of them,
    where it says so."""
    told = {
        "unet" + group.removeprefix(DENOISER) if group.startswith(DENOISER) else group: rate
        for group, rate in rates.items()
    }
    return told if effective is None else {**told, EFFECTIVE: effective}
