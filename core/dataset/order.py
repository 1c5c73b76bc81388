"""Which pictures are trained in which step: the order of an epoch, keyed, never stored.

Nothing here depends on the epochs before, so a resume asks for the epoch it is in and goes on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import RunConfig
from ..randomness import shuffled
from .plan import Bucket, DatasetPlan, Draw, MicroBatch, Sample, Window


@dataclass(frozen=True)
class RegularizationCycle:
    """Regularization pictures fill up to the number of training uses, in turn over the epochs.

    sd-scripts takes the first N of a surplus in every epoch; here epoch e goes on where e - 1
    stopped, so that all of them serve. With fewer than needed, the turn comes again within the
    epoch. The turn is shuffled once by the seed, so that several class folders mix.
    """

    turn: tuple[Sample, ...]
    """Each picture as often as its repeats say."""
    per_epoch: int

    @classmethod
    def of(cls, plan: DatasetPlan, seed: int) -> RegularizationCycle:
        uses = [sample for sample in plan.regularization_samples for _ in range(sample.repeats)]
        needed = training_uses(plan) if uses else 0
        return cls(tuple(shuffled(uses, seed, "regularization-turn")), needed)

    def start(self, epoch: int) -> int:
        """Where in the turn an epoch (from 1) begins."""
        return (epoch - 1) * self.per_epoch % len(self.turn) if self.turn else 0

    def of_epoch(self, epoch: int) -> list[Draw]:
        start, seen = self.start(epoch), Counter[str]()
        draws: list[Draw] = []
        for place in range(start, start + self.per_epoch):
            sample = self.turn[place % len(self.turn)]
            draws.append(Draw(sample, epoch, seen[sample.id]))
            seen[sample.id] += 1
        return draws


def training_uses(plan: DatasetPlan) -> int:
    """Uses of training pictures in an epoch: the sum of images x repeats."""
    return sum(sample.repeats for sample in plan.training_samples)


def micro_batches(plan: DatasetPlan, config: RunConfig, epoch: int) -> list[MicroBatch]:
    """All micro-batches of an epoch (from 1) in the order of training, for all processes.

    Each holds draws of one bucket; the last of a bucket may be smaller than the batch size and is
    trained all the same.
    """
    seed, size = config.training.seed, config.training.batch_size
    by_bucket: dict[Bucket, list[Draw]] = {}
    for draw in _draws(plan, seed, epoch):
        by_bucket.setdefault(draw.sample.bucket, []).append(draw)
    batches: list[MicroBatch] = []
    for bucket in sorted(by_bucket):
        draws = _ordered(by_bucket[bucket], seed)
        batches.extend(tuple(draws[at : at + size]) for at in range(0, len(draws), size))
    return shuffled(batches, seed, "batch-order", epoch)


def windows(
    plan: DatasetPlan, config: RunConfig, epoch: int, processes: int = 1, rank: int = 0
) -> list[Window]:
    """The windows of an epoch (from 1): one per optimizer step, for one process.

    Every process gets whole batches in turn, and the same number of them: the shorter ones are
    padded by repeating whole batches from the epoch's beginning. The last window may hold fewer
    micro-batches. With processes x accumulation constant, step N has the same pictures whatever
    the number of processes.
    """
    if not 0 <= rank < processes:
        raise ValueError(f"rank {rank} of {processes} processes")
    batches = micro_batches(plan, config, epoch)
    share = math.ceil(len(batches) / processes)
    mine = [batches[(rank + turn * processes) % len(batches)] for turn in range(share)]
    return _chunks(mine, config.training.gradient_accumulation)


def _draws(plan: DatasetPlan, seed: int, epoch: int) -> list[Draw]:
    draws = [
        Draw(sample, epoch, repeat)
        for sample in plan.training_samples
        for repeat in range(sample.repeats)
    ]
    return draws + RegularizationCycle.of(plan, seed).of_epoch(epoch)


def _ordered(draws: list[Draw], seed: int) -> list[Draw]:
    """Keyed by the picture and not by its place in a list: one picture more moves no other."""
    return sorted(draws, key=lambda draw: (draw.key(seed, "order"), draw.sample.id, draw.repeat))


def _chunks(batches: Sequence[MicroBatch], size: int) -> list[Window]:
    return [tuple(batches[at : at + size]) for at in range(0, len(batches), size)]
