"""The arithmetic of a run: how many steps, when a file is saved, when it is looked at.

This is what the trainer obeys and what is shown before anything is paid for. Steps are absolute
and count from 1, epochs too. Source: steps of an epoch = ceil(sum over buckets of
ceil(uses / batch) / processes / accumulation), as sd-scripts counts, with every process padded by
whole batches.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate

from .config import RunConfig
from .dataset.order import RegularizationCycle
from .dataset.plan import Bucket, DatasetPlan


@dataclass(frozen=True)
class SavePoint:
    """After ``step`` a file ``<name><suffix>.safetensors`` is written; "" for the final one."""

    step: int
    suffix: str
    epoch: int | None
    """The epoch that ends with the step, if one does."""

    @property
    def is_final(self) -> bool:
        return not self.suffix


@dataclass(frozen=True)
class Schedule:
    """All numbers of a run; see `Schedule.of`."""

    steps_of_epochs: tuple[int, ...]
    """Steps of each epoch that is begun, before ``max_steps`` cuts the last one short."""
    total_steps: int
    warmup_steps: int
    config: RunConfig = field(repr=False)
    _ends: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, plan: DatasetPlan, config: RunConfig, processes: int = 1) -> Schedule:
        """The schedule of a plan; raises ValueError when there is nothing to train on."""
        counts = BatchCounts.of(plan, config)
        if not counts.training:
            raise ValueError("a plan without training pictures has no schedule")
        accumulation = config.training.gradient_accumulation
        limit = config.training.max_steps
        steps: list[int] = []
        done = 0
        for epoch in range(1, config.training.epochs + 1):
            if limit is not None and done >= limit:
                break
            steps.append(steps_of(counts.micro_batches(epoch), accumulation, processes))
            done += steps[-1]
        total = done if limit is None else min(done, limit)
        ends = tuple(accumulate(steps))
        return cls(tuple(steps), total, _warmup(config, total), config, ends)

    @property
    def epochs(self) -> int:
        """Epochs begun."""
        return len(self.steps_of_epochs)

    @property
    def epoch_end_steps(self) -> tuple[int, ...]:
        """The last step of each epoch that is gone through to its end."""
        return tuple(end for end in self._ends if end <= self.total_steps)

    def position(self, step: int) -> tuple[int, int]:
        """(epoch from 1, index from 0 of the window in it) of a step from 1 to ``total_steps``;
        ValueError for any other."""
        if not 1 <= step <= self.total_steps:
            raise ValueError(f"step {step} is not between 1 and {self.total_steps}")
        before = bisect_left(self._ends, step)
        return before + 1, step - 1 - (self._ends[before - 1] if before else 0)

    def first_step(self, epoch: int) -> int:
        """The first step of an epoch."""
        return self._ends[epoch - 2] + 1 if epoch > 1 else 1

    def save_steps(self) -> tuple[SavePoint, ...]:
        """When files are saved, in order; the last is the final file. A step that both an epoch and
        a number of steps ask for is saved once, by its epoch."""
        output = self.config.output
        points: dict[int, SavePoint] = {}
        for step in _every(output.save_every_steps, self.total_steps):
            points[step] = SavePoint(step, f"-step{step:08d}", None)
        for epoch, step in enumerate(self.epoch_end_steps, start=1):
            if output.save_every_epochs and epoch % output.save_every_epochs == 0:
                points[step] = SavePoint(step, f"-{epoch:06d}", epoch)
        last = len(self.epoch_end_steps)
        ends_epoch = bool(last) and self.epoch_end_steps[-1] == self.total_steps
        points[self.total_steps] = SavePoint(self.total_steps, "", last if ends_epoch else None)
        return tuple(points[step] for step in sorted(points))

    def validation_steps(self) -> tuple[int, ...]:
        """After which steps the validation loss is taken, in order; 0 is before the first. The last
        step is among them; none without validation pictures."""
        validation = self.config.validation
        if not validation.folder:
            return ()
        steps = {0, self.total_steps, *_every(validation.every_steps, self.total_steps)}
        if epochs := validation.every_epochs:
            steps.update(self.epoch_end_steps[epochs - 1 :: epochs])
        return tuple(sorted(steps))

    def sample_steps(self) -> tuple[int, ...]:
        """After which steps samples are drawn, in order; 0 is before the first. The last step is
        among them when any sampling during training is asked for; none without prompts."""
        samples = self.config.samples
        if not self.config.sample_prompts():
            return ()
        steps = {0} if samples.at_start else set[int]()
        steps.update(_every(samples.every_steps, self.total_steps))
        if samples.every_epochs:
            steps.update(self.epoch_end_steps[samples.every_epochs - 1 :: samples.every_epochs])
        if samples.every_steps or samples.every_epochs:
            steps.add(self.total_steps)
        return tuple(sorted(steps))


@dataclass(frozen=True)
class BatchCounts:
    """How many micro-batches the epochs have, without making one of them.

    The training pictures give every epoch the same; of regularization pictures that take turns,
    each epoch has another part, perhaps of other buckets.
    """

    training: Mapping[Bucket, int]
    """Uses of training pictures per bucket."""
    batch_size: int
    _per_epoch: int
    """Uses of regularization pictures in an epoch."""
    _turn_length: int
    _sums: Mapping[Bucket, tuple[int, ...]]
    """Per bucket: how many of the turn's first n regularization pictures are of it, for each n."""
    _known: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: DatasetPlan, config: RunConfig) -> BatchCounts:
        training: Counter[Bucket] = Counter()
        for sample in plan.training_samples:
            training[sample.bucket] += sample.repeats
        cycle = RegularizationCycle.of(plan, config.training.seed)
        sums = {
            bucket: tuple(accumulate((item.bucket == bucket for item in cycle.turn), initial=0))
            for bucket in {item.bucket for item in cycle.turn}
        }
        size = config.training.batch_size
        return cls(training, size, cycle.per_epoch, len(cycle.turn), sums)

    @property
    def are_alike(self) -> bool:
        """Whether all epochs have the same batches."""
        return not self._turn_length

    def with_repeats(self, times: int, divided_by: int = 1) -> BatchCounts:
        """The counts of `with_repeats`' plan, without making one."""
        training = {bucket: n * times // divided_by for bucket, n in self.training.items()}
        per_epoch = sum(training.values()) if self._turn_length else 0
        return replace(self, training=training, _per_epoch=per_epoch, _known={})

    def uses(self, epoch: int) -> Counter[Bucket]:
        """Uses of all pictures per bucket in an epoch (from 1)."""
        counts = Counter(self.training)
        if not self._turn_length:
            return counts
        start = (epoch - 1) * self._per_epoch % self._turn_length
        rounds, rest = divmod(start + self._per_epoch, self._turn_length)
        for bucket, sums in self._sums.items():
            used = rounds * sums[-1] + sums[rest] - sums[start]
            if used:
                counts[bucket] += used
        return counts

    def micro_batches(self, epoch: int) -> int:
        """Micro-batches of an epoch (from 1), over all processes."""
        start = (epoch - 1) * self._per_epoch % self._turn_length if self._turn_length else 0
        if start not in self._known:
            uses = self.uses(epoch).values()
            self._known[start] = sum(math.ceil(count / self.batch_size) for count in uses)
        return self._known[start]


def steps_of(micro_batches: int, accumulation: int, processes: int = 1) -> int:
    """Optimizer steps that so many micro-batches make."""
    return math.ceil(math.ceil(micro_batches / processes) / accumulation)


def _warmup(config: RunConfig, total: int) -> int:
    warmup = config.optimizer.warmup
    return min(total, round(warmup * total) if warmup < 1 else int(warmup))


def _every(distance: int, total: int) -> Iterator[int]:
    if distance:
        yield from range(distance, total + 1, distance)
