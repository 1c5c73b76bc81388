"""The rehearsal's work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from statistics import median

import torch

from ..config import RunConfig
from ..dataset.build import build_plan
from ..dataset.plan import Bucket, DatasetPlan, Draw, MicroBatch
from ..families import registry as families
from ..run.events import EventReader
from ..run.job import Job
from ..training.portions import is_out_of_memory
from ..training.preparation import device_here, prepare
from ..training.trainer import Trainer
from . import measured
from .measured import Measured

_STEPS, _MOST_STEPS, _ENOUGH_SECONDS = 3, 20, 5.0
"""Steps at least and at most, after a first one, which pays for what is set up once; quick ones are
taken for so long, since a single one tells little."""
_MOST = 64
"""Pictures at once that are tried at most: more than gains anything."""


def rehearse(job: Job) -> None:
    """Take steps at the largest bucket, draw the first sample prompt, save, find the largest batch
    that fits, and keep what it took (`measured.keep`, and the event ``rehearsed``)."""
    config, began = job.directory.config(), time.monotonic()
    job.phase("read dataset")
    plan = build_plan(config, families.find(config.model.family))
    bucket = largest_bucket(plan)
    trainer = prepare(job, narrowed(plan, bucket, config.training.batch_size))
    encoding, per_encoding = _encoding(job)
    to_start = time.monotonic() - began - encoding
    draws = [Draw(sample, 1, 0) for sample in trainer.plan.samples]
    # From here on everything is measured to its end.
    job.may_end_now = True
    job.phase("rehearse a step")
    _reset_peak()
    per_step = _steps(trainer, _window(draws, config))
    memory = _peak()
    job.phase("rehearse a save")
    saved = time.monotonic()
    trainer.save(1)
    per_save = time.monotonic() - saved
    _reset_peak()
    per_drawing = _drawing(job, trainer)
    drawing_memory = _peak() if per_drawing is not None else None
    largest, is_bound = _largest(job, trainer, draws)
    result = Measured(
        per_step=per_step,
        per_save=per_save,
        to_start=to_start,
        per_encoding=per_encoding,
        per_drawing=per_drawing,
        memory=memory,
        drawing_memory=drawing_memory,
        memory_there=_memory_there(),
        bucket=str(bucket),
        batch_size=config.training.batch_size,
        portion=trainer.portions.largest or config.training.batch_size,
        largest_batch=largest,
        largest_is_bound=is_bound,
        device=device_here(),
    )
    measured.keep(config, result)
    job.emit("rehearsed", **asdict(result))


def largest_bucket(plan: DatasetPlan) -> Bucket:
    """The bucket that needs the most memory."""
    buckets = {sample.bucket for sample in plan.samples}
    return max(buckets, key=lambda bucket: (bucket.width * bucket.height, bucket))


def narrowed(plan: DatasetPlan, bucket: Bucket, batch_size: int) -> DatasetPlan:
    """``plan`` with as many pictures of ``bucket`` as a batch has, or fewer where there are none;
    a picture that is trained, for there is no run without."""
    there = [sample for sample in plan.samples if sample.bucket == bucket][:batch_size]
    # A bucket may hold regularization pictures alone; what they are does not change what they cost.
    chosen = tuple(replace(sample, is_regularization=False, repeats=1) for sample in there)
    return replace(plan, samples=chosen)


def _window(draws: Sequence[Draw], config: RunConfig) -> tuple[MicroBatch, ...]:
    batch = _batch(draws, config.training.batch_size)
    return (batch,) * config.training.gradient_accumulation


def _batch(draws: Sequence[Draw], size: int) -> MicroBatch:
    return tuple(
        replace(draws[place % len(draws)], repeat=place // len(draws)) for place in range(size)
    )


def _steps(trainer: Trainer, window: tuple[MicroBatch, ...]) -> float:
    """Seconds of a step; the first is not counted."""
    times: list[float] = []
    while len(times) <= _STEPS or (len(times) <= _MOST_STEPS and sum(times[1:]) < _ENOUGH_SECONDS):
        trainer.job.check_stop()
        began = time.monotonic()
        # Its end is waited for: the loss is read.
        trainer.learn_from(window)
        times.append(time.monotonic() - began)
    return median(times[1:])


def _drawing(job: Job, trainer: Trainer) -> float | None:
    previews = trainer.previews.first()
    if previews is None:
        return None
    job.phase("rehearse a sample")
    began = time.monotonic()
    return time.monotonic() - began if previews.draw(1, 1) else None


def _largest(job: Job, trainer: Trainer, draws: Sequence[Draw]) -> tuple[int | None, bool]:
    """(the largest batch that goes through the GPU at once, whether it was the most tried)."""
    if not torch.cuda.is_available():
        return None, False
    job.phase("find the largest batch")
    trainer.portions.largest = None

    def fits(size: int) -> bool:
        job.check_stop()
        try:
            trainer.accumulate_at_once((_batch(draws, size),))
            torch.cuda.synchronize()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            trainer.optimizer.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
        return True

    return largest_that(fits, _MOST)


def largest_that(fits: Callable[[int], bool], most: int) -> tuple[int, bool]:
    """(the largest number from 1 to ``most`` for which ``fits(number)``, 0 for none; whether it is
    ``most``). What fits once fits for all smaller ones."""
    good, bad = 0, most + 1
    size = 1
    while size < bad:
        if fits(size):
            good, size = size, min(2 * size, most) if size < most else bad
        else:
            bad = size
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good, good == most


def _encoding(job: Job) -> tuple[float, float | None]:
    """(seconds that encoding the pictures took, seconds of a picture) from the job's own events."""
    began, first, total = 0.0, 0, 0
    for event in EventReader(job.directory.events_path).read():
        if event["kind"] == "phase" and event["phase"] == "cache latents":
            began, first, total = event["time"], -1, event["total"] or 0
        elif event["kind"] == "progress" and event["phase"] == "cache latents" and first < 0:
            first = event["done"]
        elif event["kind"] == "phase" and began:
            took, missing = event["time"] - began, total - max(first, 0)
            return took, took / missing if missing else None
    return 0.0, None


def _reset_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak() -> int | None:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def _memory_there() -> int | None:
    return torch.cuda.mem_get_info()[1] if torch.cuda.is_available() else None
