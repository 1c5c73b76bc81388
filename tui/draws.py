"""What a step or an epoch trains, use after use: the picture, the crop, the caption."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..core.config import RunConfig
from ..core.dataset.captions import final_caption
from ..core.dataset.order import windows
from ..core.dataset.plan import DatasetPlan, Draw, Window
from ..core.dataset.views import facts_of, view_of, words_of
from ..core.schedule import Schedule
from ..core.text import printable
from .problems import wrapped


def show_steps(
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, steps: Iterable[int]
) -> None:
    """Each step as a block of lines."""
    of_epoch: dict[int, list[Window]] = {}
    for step in steps:
        epoch, index = schedule.position(step)
        if epoch not in of_epoch:
            of_epoch = {epoch: windows(plan, config, epoch)}
        last = schedule.steps_of_epochs[epoch - 1]
        sys.stdout.write(
            f"{'Step':<16}{step} of {schedule.total_steps}: {index + 1} of {last} in epoch "
            f"{epoch}\n"
        )
        window = of_epoch[epoch][index]
        for number, batch in enumerate(window, start=1):
            sys.stdout.write(f"\nBatch {number} of {len(window)}: {batch[0].sample.bucket}\n")
            for draw in batch:
                sys.stdout.write(_text(draw, config))
        sys.stdout.write("\n")


def step_document(
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, step: int
) -> dict[str, Any]:
    """The same for programs."""
    epoch, index = schedule.position(step)
    window = windows(plan, config, epoch)[index]
    return _document(window, config, step, epoch, index)


def epoch_document(
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, epoch: int
) -> list[dict[str, Any]]:
    """The steps of an epoch that are trained."""
    steps = steps_of_epoch(schedule, epoch)
    found = windows(plan, config, epoch)
    return [_document(found[index], config, step, epoch, index) for index, step in enumerate(steps)]


def steps_of_epoch(schedule: Schedule, epoch: int) -> range:
    """The steps of an epoch (from 1) that the run comes to."""
    first = schedule.first_step(epoch)
    end = min(first + schedule.steps_of_epochs[epoch - 1] - 1, schedule.total_steps)
    return range(first, end + 1)


def _text(draw: Draw, config: RunConfig) -> str:
    """A block: columns of paths and captions fit no terminal."""
    sample, view = draw.sample, view_of(draw, config)
    crop, indent = view.crop, " " * 4
    how = (
        f"{sample.width}x{sample.height}, scaled to {crop.scaled_width}x{crop.scaled_height}, "
        f"cut at {crop.left},{crop.top}; use {draw.repeat + 1} of {sample.repeats}"
    )
    more = "".join(wrapped(printable(words), indent) + "\n" for words in words_of(view))
    caption = printable(final_caption(draw, config)) or "(no caption)"
    return f"  {printable(str(sample.path))}\n{indent}{how}\n{more}{wrapped(caption, indent)}\n"


def _document(
    window: Window, config: RunConfig, step: int, epoch: int, index: int
) -> dict[str, Any]:
    return {
        "step": step,
        "epoch": epoch,
        "window": index,
        "micro_batches": [[_of_draw(draw, config) for draw in batch] for batch in window],
    }


def _of_draw(draw: Draw, config: RunConfig) -> dict[str, Any]:
    sample, view = draw.sample, view_of(draw, config)
    return {
        "id": sample.id,
        "path": str(sample.path),
        "repeat": draw.repeat,
        "is_regularization": sample.is_regularization,
        "width": sample.width,
        "height": sample.height,
        "bucket": asdict(sample.bucket),
        "crop": asdict(view.crop),
        **facts_of(view),
        "caption": final_caption(draw, config),
    }
