"""Drawing class pictures: the work of the job."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

from ..errors import EXIT_FAILED, WizardError
from ..families import registry as families
from ..families.base import ModelFamily, SamplePrompt, load_implementation
from ..files import sweep, write_failed
from ..run.job import Job
from ..sampling.pictures import write_picture
from ..training.portions import is_out_of_memory
from .start import Work

Missing = tuple[Path, SamplePrompt]


class DrawingError(WizardError):
    """Not even one picture at a time fits."""

    exit_code = EXIT_FAILED


def draw_all(job: Job, work: Work) -> None:
    """Draw what is missing of ``work``, each written as soon as it is drawn, so that any end loses
    one batch at most. Raises WizardError, and Stopped when a stop was asked for."""
    orders = work.orders()
    for order in orders:
        try:
            order.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_failed(order.folder, error) from error
        # This folder is this job's alone: the task is named after the one above it.
        sweep(order.folder)
    missing = [item for order in orders for item in order.missing()]
    if not missing:
        return
    job.phase("load model")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = work.config.model
    family = load_implementation(families.find(model.family))(model, device)
    # Whoever holds them keeps them on the device; drawing alone takes them off after each batch.
    held = family.text_encoders
    job.phase("draw class pictures", total=len(missing))
    done, at_once = 0, work.batch_size
    while done < len(missing):
        batch = missing[done : done + at_once]
        try:
            with _interruptible(job, family):
                images = family.sample([prompt for _, prompt in batch], at_once=at_once)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            at_once = _fewer(job, len(batch), error)
            continue
        for (path, prompt), image in zip(batch, images, strict=True):
            write_picture(path, image, prompt, {})
            job.emit("drawn", path=str(path), prompt=prompt.prompt, seed=prompt.seed)
        done += len(batch)
        job.progress(done)
    del held


def _fewer(job: Job, count: int, error: Exception) -> int:
    # The frames of the failed attempt hold what was computed until then.
    error.__traceback__ = None
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if count == 1:
        raise DrawingError(
            "The GPU's memory is too small for one picture",
            str(error).partition("\n")[0],
            "Draw smaller ones: --width and --height. Close other programs on the GPU.",
        ) from error
    job.emit(
        "problem",
        severity="warning",
        message=f"the GPU's memory is too small for {count} pictures together; it goes on with "
        f"{count // 2}",
        where="batch_size",
        remedy="",
    )
    return count // 2


@contextlib.contextmanager
def _interruptible(job: Job, family: ModelFamily) -> Iterator[None]:
    """A stop is heard between two steps of the denoising: a batch can take minutes."""
    handle = family.denoiser.register_forward_pre_hook(lambda *_: job.check_stop())
    try:
        yield
    finally:
        handle.remove()
