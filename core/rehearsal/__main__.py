"""``python -m lora_wizard.core.rehearsal RUN_DIR``: rehearse the run in RUN_DIR."""

from __future__ import annotations

import sys

from ..run.job import Job, run_job
from ..training.__main__ import before_torch


def work(job: Job) -> None:
    """The work of a rehearsal's job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    before_torch(job)
    import torch

    from ..training.portions import GpuFullError
    from .rehearse import rehearse

    try:
        rehearse(job)
    except torch.OutOfMemoryError as error:
        raise GpuFullError(error) from error


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
