"""How long a run takes: from earlier runs on the same device, else roughly from the GPU's
arithmetic, else not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import RunConfig
from ..dataset.plan import DatasetPlan
from ..families.base import FamilySpec
from ..hardware import PROCESSOR, Gpu
from ..preflight_base import BaseFindings
from ..schedule import Schedule
from .figures import Figure, duration_text, span_text
from .past_runs import PastRun
from .sizes import file_bytes, part_sizes, sample_pixels, training_pixels, views_per_picture
from .speeds import teraflops
from .step_work import forward_flops, step_work

_SHARES = (0.35, 0.05)
"""Of a GPU's arithmetic that training really gets, at best and at worst."""
_LAUNCH = (22e-6, 80e-6)
"""Seconds that an operation takes at least, at best and at worst: the processor starts it."""
_FP32_SLOWER = 4.0
_ENCODER_OPERATIONS = 300
"""To encode a picture: the VAE has few layers and no way back."""
_ALIKE = 0.05
"""A step that differs by no more is the same step."""
_LOADING = (8.0, 60.0)
_DISK = (1e9, 1e8)
"""Bytes a second that are written and read back."""


Span = tuple[float, float]
"""Seconds, at best and at worst."""


@dataclass(frozen=True)
class Pace:
    """How long the pieces of a run take."""

    step: Span
    drawing: Span
    save: Span
    start: Span
    basis: str
    is_rough: bool


def duration(
    config: RunConfig,
    spec: FamilySpec,
    plan: DatasetPlan,
    schedule: Schedule,
    base: BaseFindings | None,
    gpu: Gpu | None,
    history: Sequence[PastRun],
) -> Figure | None:
    """The time from the start to the finished file; None when nothing tells it."""
    pace = _from_history(config, spec, plan, base, gpu, history)
    pace = pace or _from_arithmetic(config, spec, plan, base, gpu)
    if pace is None:
        return None
    drawings = len(config.sample_prompts()) * len(schedule.sample_steps())
    pieces = (
        (1, pace.start),
        (schedule.total_steps, pace.step),
        (drawings, pace.drawing),
        (len(schedule.save_steps()), pace.save),
    )
    low, high = (sum(count * times[end] for count, times in pieces) for end in (0, 1))
    rough = "rough: " if pace.is_rough else "about "
    text = rough + (span_text(low, high) if pace.is_rough else duration_text((low + high) / 2))
    parts = [f"{schedule.total_steps:,} steps"]
    parts += [f"{drawings:,} samples"] if drawings else []
    parts += [f"{len(schedule.save_steps()):,} files"]
    return Figure(low, high, text, f"{pace.basis}; {', '.join(parts)}, loading")


def _from_history(
    config: RunConfig,
    spec: FamilySpec,
    plan: DatasetPlan,
    base: BaseFindings | None,
    gpu: Gpu | None,
    history: Sequence[PastRun],
) -> Pace | None:
    like = [run for run in history if _is_like(run, config, gpu)]
    if not like:
        return None
    training = config.training
    batches = training.gradient_accumulation
    pixels = training_pixels(config, spec) * training.batch_size * batches
    factors = [(run, pixels / run.pixels * _work_factor(config, run, spec, base)) for run in like]
    run, times = min(factors, key=lambda pair: _distance(*pair, config))
    exact = abs(times - 1) < _ALIKE and run.precision == config.model.precision
    step = run.per_step * times
    if _encodes_more(run, config):
        step += training.batch_size * batches * (run.per_encoding or 0.0)
        exact = False
    spread = 0.1 if exact else 0.35
    work = sample_pixels(config, spec) * config.samples.steps
    if run.per_drawing is not None and run.drawing_work:
        drawing = run.per_drawing * work / run.drawing_work
    else:
        # Guidance doubles a picture, and there is no way back.
        drawing = run.per_step * work / run.pixels
    where = f" on this {gpu.name}" if gpu else ""
    said = f"{run.per_step:.2g} s a step in {run.name}{where}"
    scaled = "" if exact else ", scaled to this run"

    def around(value: float) -> Span:
        return value * (1 - spread), value * (1 + spread)

    save = run.per_save if run.per_save is not None else 2.0
    start = run.to_start if run.to_start is not None else 30.0
    start += len(plan.samples) * views_per_picture(config) * (run.per_encoding or 0.0)
    return Pace(
        around(step), around(drawing), around(save), around(start), said + scaled, not exact
    )


def _is_like(run: PastRun, config: RunConfig, gpu: Gpu | None) -> bool:
    same_base = run.base == config.model.base
    is_embedded = run.base.startswith("embedded:") or config.model.base.startswith("embedded:")
    return (
        run.family == config.model.family
        and run.device == (gpu.name if gpu else PROCESSOR)
        and (same_base or not is_embedded)
        and (_cached(run) == config.dataset.cache_latents or _encodes_more(run, config))
    )


def _cached(run: PastRun) -> bool:
    return run.config is None or run.config.dataset.cache_latents


def _encodes_more(run: PastRun, config: RunConfig) -> bool:
    """Whether what an earlier run did once, and is known of it, is done at every step."""
    return _cached(run) and not config.dataset.cache_latents and bool(run.per_encoding)


def _distance(run: PastRun, times: float, config: RunConfig) -> tuple[bool, bool, float]:
    return (
        run.checkpointing != config.training.gradient_checkpointing,
        run.precision != config.model.precision,
        abs(math.log(times)),
    )


def _work_factor(
    config: RunConfig, run: PastRun, spec: FamilySpec, base: BaseFindings | None
) -> float:
    """How many times as long a step takes as in ``run``, by what is trained and by checkpointing,
    at the same size."""
    training = config.training.model_copy(update={"gradient_checkpointing": run.checkpointing})
    had = config.model_copy(update={"training": training})
    if run.config:
        learned = {"network": run.config.network, "optimizer": run.config.optimizer}
        had = had.model_copy(update=learned)
    wanted, before = step_work(config, spec, base), step_work(had, spec, base)
    return wanted.times(before) if wanted and before else 1.0


def _from_arithmetic(
    config: RunConfig,
    spec: FamilySpec,
    plan: DatasetPlan,
    base: BaseFindings | None,
    gpu: Gpu | None,
) -> Pace | None:
    costs = spec.costs
    speed = teraflops(gpu) if gpu else None
    work = step_work(config, spec, base)
    if costs is None or work is None or gpu is None or speed is None:
        return None
    speed *= 1e12 / (_FP32_SLOWER if config.model.precision == "fp32" else 1)
    size, training = part_sizes(spec, base)[costs.denoiser], config.training
    pixels, drawn = training_pixels(config, spec), sample_pixels(config, spec)
    batch_work = training.batch_size * work.flops
    drawing_work = 2 * forward_flops(costs, size, drawn)
    decoding = 2 * drawn * costs.encoding_flops * _FP32_SLOWER
    of_picture = pixels * costs.encoding_flops * _FP32_SLOWER
    encoding = len(plan.samples) * views_per_picture(config) * of_picture
    operations = work.operations
    if not config.dataset.cache_latents:
        batch_work += training.batch_size * of_picture
        operations += training.batch_size * _ENCODER_OPERATIONS
    written = 5 * file_bytes(config, spec, base)

    def seconds(end: int, flops: float, operations: float) -> float:
        return flops / (speed * _SHARES[end]) + operations * _LAUNCH[end]

    def both(flops: float, operations: float, *, best: float = 0, worst: float = 0) -> Span:
        return seconds(0, flops, operations) + best, seconds(1, flops, operations) + worst

    batches = training.gradient_accumulation
    steps = config.samples.steps
    return Pace(
        step=both(batches * batch_work, batches * operations),
        # Without gradients and a loss, a pass is about half of a batch's operations.
        drawing=both(
            steps * drawing_work + decoding, steps * work.operations / 2, best=0.5, worst=5
        ),
        save=(0.2 + written / _DISK[0], 2 + written / _DISK[1]),
        start=both(encoding, 0, best=_LOADING[0], worst=_LOADING[1]),
        basis=f"from what the {gpu.name} can compute",
        is_rough=True,
    )
