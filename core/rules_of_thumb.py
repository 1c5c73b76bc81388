"""What the guides people learn from would count, beside the exact number and why they differ.

S0 (Kohya on JarvisLabs), S1 (Haoming's tutorial), S2 (the rentry guide), S3 (sd-scripts'
train_network), S4 (ThinkDiffusion's SDXL guide).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .config import RunConfig
from .dataset.order import training_uses
from .dataset.plan import DatasetPlan
from .schedule import BatchCounts, Schedule
from .solving import solve_repeats, uncapped_steps

S1_STEPS = 1000
"""About what a concept takes, says S1."""
S2_LEAST, S2_MOST = 25, 150
S3_STEPS = 400


@dataclass(frozen=True)
class RuleOfThumb:
    """One guide's formula with this plan's figures, and the exact number for the same thing."""

    source: str
    formula: str
    value: float
    unit: str
    """``steps``, ``repeats`` or ``uses per picture``."""
    exact: float
    difference_reason: str
    """Empty where the two agree."""
    upper: float | None = None
    """The other end where the guide gives a range from ``value``."""


@dataclass(frozen=True)
class Difference:
    """One reason why the exact number of steps is not a guide's, with what it makes up."""

    reason: str
    steps: float

    def __str__(self) -> str:
        return f"{self.reason} ({_figure(self.steps, sign=True)})"


def explain(plan: DatasetPlan, config: RunConfig, processes: int = 1) -> list[RuleOfThumb]:
    """The rule of thumb of each guide for this plan, in the guides' order."""
    total = Schedule.of(plan, config, processes).total_steps
    images, uses = len(plan.training_samples), training_uses(plan)
    batch, epochs = config.training.batch_size, config.training.epochs
    repeats = uses / images
    wholes = differences(plan, config, processes)
    of_batch, rest = wholes[:1], wholes[1:]
    product = f"{images} images x {_figure(repeats)} repeats x {epochs} epochs"
    return [
        RuleOfThumb(
            "S0",
            f"{images} images / batch {batch} x {_figure(repeats)} repeats x {epochs} epochs",
            uses / batch * epochs,
            "steps",
            total,
            "; ".join(_reasons(rest)),
        ),
        _repeats_rule(plan, config, processes),
        RuleOfThumb(
            "S2",
            f"{S2_LEAST} to {S2_MOST} for every picture",
            S2_LEAST,
            "uses per picture",
            uses * epochs / images * total / uncapped_steps(plan, config, processes),
            f"it counts a picture's uses, at batch 1: here {S2_LEAST * images // batch} to "
            f"{S2_MOST * images // batch} steps of {batch}",
            upper=S2_MOST,
        ),
        RuleOfThumb(
            "S3",
            f"{S3_STEPS} steps, whatever the pictures",
            S3_STEPS,
            "steps",
            total,
            "a fixed number: training.max_steps does the same",
        ),
        RuleOfThumb(
            "S4", product, uses * epochs, "steps", total, "; ".join(_reasons(of_batch + rest))
        ),
    ]


def differences(plan: DatasetPlan, config: RunConfig, processes: int = 1) -> list[Difference]:
    """The way from images x repeats x epochs to the exact number; the steps add up to it."""
    training, counts = config.training, BatchCounts.of(plan, config)
    uses = sum(counts.training.values())
    partial = [count for count in counts.training.values() if count % training.batch_size]
    epochs = range(1, training.epochs + 1)
    stages = [
        float(uses * training.epochs),
        uses * training.epochs / training.batch_size,
        sum(math.ceil(count / training.batch_size) for count in counts.training.values())
        * training.epochs,
        sum(counts.micro_batches(epoch) for epoch in epochs),
        uncapped_steps(plan, config, processes),
        Schedule.of(plan, config, processes).total_steps,
    ]
    shared = f", {processes} processes" if processes > 1 else ""
    reasons = [
        f"a step trains {training.batch_size} pictures",
        f"{len(partial)} of {len(counts.training)} buckets end each epoch with a batch that is "
        "not full, and it is trained",
        "regularization pictures are trained as well",
        f"batches are gathered {training.gradient_accumulation} to a step{shared}",
        f"training.max_steps is {training.max_steps}",
    ]
    return [
        Difference(reason, after - before)
        for reason, before, after in zip(reasons, stages, stages[1:], strict=False)
    ]


def _repeats_rule(plan: DatasetPlan, config: RunConfig, processes: int) -> RuleOfThumb:
    images = len(plan.training_samples)
    batch, epochs = config.training.batch_size, config.training.epochs
    solved = solve_repeats(S1_STEPS, plan, config, processes)
    repeats = training_uses(solved.plan) / images
    return RuleOfThumb(
        "S1",
        f"{S1_STEPS} steps / {epochs} epochs / {images} images x batch {batch}",
        S1_STEPS / epochs / images * batch,
        "repeats",
        repeats,
        "; ".join(
            [
                f"{_figure(repeats)} repeats give {solved.steps} steps here",
                *_reasons(differences(solved.plan, config, processes)[1:]),
            ]
        ),
    )


def _reasons(differences: list[Difference]) -> list[str]:
    """Those that make a difference, in words."""
    return [str(item) for item in differences if abs(item.steps) > 1e-9]


def _figure(number: float, *, sign: bool = False) -> str:
    text = f"{number:+,.1f}" if sign else f"{number:,.1f}"
    return text.removesuffix(".0")
