"""In what portions a window goes through the GPU when its memory is too small for whole
micro-batches.

The loss is a sum over the window's samples and every draw is a sample's own, so any split of a
window gives the same update but for rounding: the batch size that the run was planned with stays.
"""

from __future__ import annotations

import torch

from ..dataset.plan import Window
from ..errors import EXIT_FAILED, WizardError
from ..run.job import Job

_SAID_BY_OTHERS = (
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""How the driver and its libraries say it when the memory that they take themselves is not there,
as on a GPU that another program fills: torch has no error of its own for that."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether the GPU's memory was too small."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID_BY_OTHERS)
    )


class GpuFullError(WizardError):
    """The run as it is configured does not fit into the GPU's memory."""

    exit_code = EXIT_FAILED

    def __init__(self, error: Exception) -> None:
        super().__init__(
            "The GPU's memory is too small for this run",
            str(error).partition("\n")[0],
            "Start again from the TOML with training.gradient_checkpointing = true; or with a "
            "lower dataset.resolution or network.rank. Close other programs on the GPU.",
        )


class Portions:
    """Splits windows, and splits them finer each time the memory was too small."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.largest: int | None = None
        """Pictures that go through the GPU together, at most; None: as many as a micro-batch has.
        Part of the run's state: a resume does not run out of memory again."""

    def of(self, window: Window) -> Window:
        """``window`` in portions that fit."""
        if self.largest is None:
            return window
        return tuple(
            micro_batch[at : at + self.largest]
            for micro_batch in window
            for at in range(0, len(micro_batch), self.largest)
        )

    def halve(self, window: Window, error: Exception) -> None:
        """The memory was too small for ``window``. Raises GpuFullError when a single picture is too
        much."""
        most = max(len(portion) for portion in self.of(window))
        if most == 1:
            raise GpuFullError(error) from error
        self.largest = (most + 1) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._job.emit(
            "problem",
            severity="warning",
            message=f"the GPU's memory was too small for {most} pictures at once: the run goes on "
            f"with {self.largest} at once",
            where="training.batch_size",
            remedy="Steps and batch size stay as they are; only the last bits of the result "
            "depend on it. training.gradient_checkpointing = true needs far less memory.",
        )


def tell_of_encoding(job: Job, halved_to: int | None) -> None:
    """Say that fewer pictures or captions than usual, ``halved_to``, were encoded together, if
    so."""
    if halved_to is not None:
        job.emit(
            "problem",
            severity="warning",
            message=f"the GPU's memory was too small to encode as many at once as usual: "
            f"{halved_to} at once",
            remedy="It took longer, and the last bits of the result depend on it.",
        )
