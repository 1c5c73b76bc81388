"""``python -m lora_wizard.core.training RUN_DIR``: train the run in RUN_DIR, from its beginning or
from where it was left."""

from __future__ import annotations

import sys

from ..errors import EXIT_FAILED, WizardError
from ..run.job import Job, run_job


class GpuFullError(WizardError):
    """The run as it is configured does not fit into the GPU's memory."""

    exit_code = EXIT_FAILED


def train(job: Job) -> None:
    """The work of a training job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    # Only now: the launcher waits until the run directory is held.
    import torch

    from .preparation import prepare

    try:
        prepare(job).train()
    except torch.OutOfMemoryError as error:
        raise GpuFullError(
            "The GPU's memory is too small for this run",
            str(error).partition("\n")[0],
            "Start again from the TOML with training.gradient_checkpointing = true; or with a "
            "lower training.batch_size, and training.gradient_accumulation as many times higher "
            "for the same steps; or with a lower dataset.resolution or network.rank. Close other "
            "programs on the GPU.",
        ) from error


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], train))
