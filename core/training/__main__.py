"""``python -m lora_wizard.core.training RUN_DIR``: train the run in RUN_DIR, from its beginning or
from where it was left."""

from __future__ import annotations

import sys

from ..run.job import Job, run_job


def train(job: Job) -> None:
    """The work of a training job."""
    job.phase("start")
    # Only now: the launcher waits until the run directory is held.
    from .preparation import prepare

    prepare(job).train()


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], train))
