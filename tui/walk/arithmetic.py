"""From pictures to steps, written out: what the screen and the plain questions say of a run's
length. The numbers are those of `core.schedule`, which the trainer obeys."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.config import RunConfig
from ...core.config.sources import GUIDES
from ...core.dataset.order import training_uses
from ...core.dataset.plan import Bucket, DatasetPlan
from ...core.rules_of_thumb import S1_STEPS, S2_MOST, RuleOfThumb
from ...core.schedule import BatchCounts, Schedule
from ...core.solving import uncapped_steps

S0_LEAST, S0_MOST = 2000, 3000
S0_STEPS = (S0_LEAST + S0_MOST) // 2
_MOST_SUMMANDS = 5
_FAR = 4


@dataclass(frozen=True)
class Target:
    """A length that a guide advises."""

    name: str
    """``quick``, ``standard`` or ``thorough``."""
    steps: int
    reason: str
    """What is advised, with its source."""


@dataclass(frozen=True)
class BucketShare:
    """One bucket's part in the first epoch."""

    bucket: Bucket
    pictures: int
    uses: int
    batches: int


def targets(plan: DatasetPlan, config: RunConfig | None = None) -> list[Target]:
    """How long the guides would train these pictures. S2 counts uses of a picture, so its steps
    depend on the batch size (1 without ``config``)."""
    images = len(plan.training_samples)
    training = config.training if config else None
    batch = training.batch_size * training.gradient_accumulation if training else 1
    of_batch = f" / {batch} a step" if batch > 1 else ""
    by_pictures = math.ceil(images * S2_MOST / batch)
    by_hand = f"rentry: up to {S2_MOST} for every picture: {images:,} x {S2_MOST}{of_batch}"
    if by_pictures < S0_MOST:
        by_hand = f"JarvisLabs: up to {S0_MOST:,} steps. {by_hand} = {by_pictures:,} is less"
    return [
        Target("quick", S1_STEPS, f"Haoming: about {S1_STEPS:,} steps for a concept"),
        Target("standard", S0_STEPS, f"JarvisLabs: {S0_LEAST:,} to {S0_MOST:,} steps; the middle"),
        Target("thorough", max(S0_MOST, by_pictures), by_hand),
    ]


def far_too_long(steps: int, found: Sequence[Target]) -> str:
    """What there is to say of a training many times as long as the guides' standard, the second
    of ``found``; "" of any other."""
    standard = found[1].steps
    if steps < _FAR * standard:
        return ""
    return (
        f"{steps:,} steps are {steps // standard} times the usual {standard:,}: many repeats are "
        f"meant for few pictures. F3 aims at {standard:,}."
    )


def chain(plan: DatasetPlan, config: RunConfig, schedule: Schedule) -> list[str]:
    """The arithmetic with this run's numbers, one stage a line, from the pictures to the steps."""
    training, counts = config.training, BatchCounts.of(plan, config)
    uses, batches = counts.uses(1), counts.micro_batches(1)
    steps = schedule.steps_of_epochs[0]
    lines = [_pictures(plan)]
    if plan.regularization_samples:
        lines.append(_regularization(plan, uses))
    lines.append(
        f"{counted(len(uses), 'bucket')} -> {counted(batches, 'batch', 'batches')} of "
        f"{training.batch_size}{_not_full(uses, training.batch_size)}"
    )
    if training.gradient_accumulation > 1:
        lines.append(f"{batches:,} / {training.gradient_accumulation} a step -> {steps:,} steps")
    lines += _epochs(schedule, training.epochs, uncapped_steps(plan, config))
    return lines


def bucket_shares(plan: DatasetPlan, config: RunConfig) -> list[BucketShare]:
    """The buckets of the first epoch, the most used first."""
    pictures = Counter(sample.bucket for sample in plan.samples)
    uses = BatchCounts.of(plan, config).uses(1)
    found = [
        BucketShare(bucket, pictures[bucket], count, math.ceil(count / config.training.batch_size))
        for bucket, count in uses.items()
    ]
    return sorted(found, key=lambda share: (-share.uses, share.bucket))


def rule_reason(rule: RuleOfThumb) -> str:
    """A guide's rule in full, and why the exact number is another."""
    exact = "Exactly that here"
    if rule.difference_reason:
        exact = f"Exactly {_figure(rule.exact)} here: {rule.difference_reason}"
    guide = GUIDES[rule.source][1]
    return f"{guide[0].upper()}{guide[1:]}: {rule.formula}. {exact}."


def rule_row(rule: RuleOfThumb) -> tuple[str, str, str, str]:
    """A guide's rule as (guide, formula, what it gives, the exact number)."""
    to = f" to {_figure(rule.upper)}" if rule.upper is not None else ""
    name = GUIDES[rule.source][0]
    return name, rule.formula, f"{_figure(rule.value)}{to} {rule.unit}", _figure(rule.exact)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 step``, ``1,430 steps``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _pictures(plan: DatasetPlan) -> str:
    own = [item for item in plan.concepts if not item.is_regularization and item.images]
    images, uses = sum(item.images for item in own), training_uses(plan)
    if len({item.repeats for item in own}) == 1:
        each = f"{counted(images, 'picture')} x {counted(own[0].repeats, 'repeat')}"
    else:
        parts = " + ".join(f"{item.images:,} x {item.repeats:,}" for item in own)
        if len(own) > _MOST_SUMMANDS:
            parts = f"in {len(own)} folders"
        each = f"{counted(images, 'picture')} x repeats: {parts}"
    return f"{each} = {counted(uses, 'use')}"


def _regularization(plan: DatasetPlan, uses: Counter[Bucket]) -> str:
    pictures = len(plan.regularization_samples)
    added = sum(uses.values()) - training_uses(plan)
    return (
        f"+ {counted(added, 'use')} of {counted(pictures, 'regularization picture')}, to match"
        f" = {sum(uses.values()):,} uses an epoch"
    )


def _not_full(uses: Counter[Bucket], batch_size: int) -> str:
    partial = sum(bool(count % batch_size) for count in uses.values())
    return f" ({partial} not full)" if partial else ""


def _epochs(schedule: Schedule, epochs: int, uncapped: int) -> list[str]:
    each = sorted(set(schedule.steps_of_epochs))
    steps = counted(each[0], "step") if len(each) == 1 else f"{each[0]:,} to {each[-1]:,} steps"
    lines = [f"{steps} an epoch x {counted(epochs, 'epoch')} = {counted(uncapped, 'step')}"]
    if schedule.total_steps < uncapped:
        lines.append(
            f"max steps ends it at {counted(schedule.total_steps, 'step')}, in epoch "
            f"{schedule.epochs}"
        )
    return lines


def _figure(number: float) -> str:
    return f"{number:,.4g}" if number < 1000 else f"{number:,.0f}"
