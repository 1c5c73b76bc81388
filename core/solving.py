"""The arithmetic the other way round: from a wished number of steps to epochs or repeats."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .config import RunConfig
from .dataset.plan import ConceptSummary, DatasetPlan, Sample
from .schedule import BatchCounts, steps_of

Scaled = TypeVar("Scaled", Sample, ConceptSummary)

MOST_EPOCHS = 100_000
MOST_REPEATS = 10_000
"""As the options allow."""


@dataclass(frozen=True)
class EpochsSolution:
    """The number of epochs that comes nearest to a wished number of steps, and its exact steps."""

    epochs: int
    steps: int


@dataclass(frozen=True)
class RepeatsSolution:
    """The repeats that come nearest to a wished number of steps, and their exact steps."""

    repeats: tuple[int, ...]
    """Of the plan's training concepts, in their order, in the proportion that they have now."""
    steps: int
    plan: DatasetPlan = field(repr=False)
    """The plan with these repeats."""


def solve_epochs(
    target_steps: int, plan: DatasetPlan, config: RunConfig, processes: int = 1
) -> EpochsSolution:
    """How many epochs give about ``target_steps`` with the repeats as they are; the smaller number
    of two that are as near. ``max_steps`` does not count."""
    counts, done = BatchCounts.of(plan, config), 0
    for epoch in range(1, MOST_EPOCHS + 1):
        batches = counts.micro_batches(epoch)
        steps = steps_of(batches, config.training.gradient_accumulation, processes)
        if done + steps >= target_steps or epoch == MOST_EPOCHS:
            if epoch > 1 and target_steps - done <= done + steps - target_steps:
                return EpochsSolution(epoch - 1, done)
            return EpochsSolution(epoch, done + steps)
        done += steps
    raise AssertionError("the last epoch returns")


def solve_repeats(
    target_steps: int, plan: DatasetPlan, config: RunConfig, processes: int = 1
) -> RepeatsSolution:
    """Which repeats give about ``target_steps`` in the epochs as they are; the smaller of two that
    are as near. Several concepts keep their proportion. ``max_steps`` does not count."""
    now = [item.repeats for item in plan.concepts if not item.is_regularization]
    unit, counts = math.gcd(*now), BatchCounts.of(plan, config)

    def steps(factor: int) -> int:
        return _uncapped_steps(counts.with_repeats(factor, unit), config, processes)

    low, high = 1, max(1, MOST_REPEATS * unit // max(now))
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if steps(middle) < target_steps else (low, middle)
    # Regularization pictures that take turns can make the count dip by a step or two.
    near = range(max(1, low - 2), low + 1)
    factor = min(near, key=lambda factor: (abs(steps(factor) - target_steps), factor))
    solved = with_repeats(plan, factor, unit)
    repeats = tuple(item.repeats for item in solved.concepts if not item.is_regularization)
    return RepeatsSolution(repeats, steps(factor), solved)


def uncapped_steps(plan: DatasetPlan, config: RunConfig, processes: int = 1) -> int:
    """Steps of all epochs, as if ``max_steps`` were not set."""
    return _uncapped_steps(BatchCounts.of(plan, config), config, processes)


def _uncapped_steps(counts: BatchCounts, config: RunConfig, processes: int) -> int:
    accumulation, epochs = config.training.gradient_accumulation, config.training.epochs
    if counts.are_alike:
        return epochs * steps_of(counts.micro_batches(1), accumulation, processes)
    return sum(
        steps_of(counts.micro_batches(epoch), accumulation, processes)
        for epoch in range(1, epochs + 1)
    )


def with_repeats(plan: DatasetPlan, times: int, divided_by: int = 1) -> DatasetPlan:
    """The plan with the repeats of all training pictures ``times`` as many, ``divided_by``, which
    has to divide them."""

    def scaled(item: Scaled) -> Scaled:
        if item.is_regularization:
            return item
        return replace(item, repeats=item.repeats * times // divided_by)

    return replace(
        plan,
        samples=tuple(scaled(sample) for sample in plan.samples),
        concepts=tuple(scaled(concept) for concept in plan.concepts),
    )
