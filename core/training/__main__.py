"""``python -m lora_wizard.core.training RUN_DIR``: train the run in RUN_DIR, from its beginning or
from where it was left."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import WizardError
from ..report import write_report
from ..run.job import Job, run_job
from ..run.publish import publish
from .startup import import_libraries


def work(job: Job) -> None:
    """Train, and leave the run's page however it ends."""
    run = job.directory
    job.afterwards = lambda: write_report(run, run.record().outcome)
    train(job)


def train(job: Job) -> None:
    """The work of a training job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    before_torch(job)
    # Only now: the launcher waits until the run directory is held.
    import_libraries(job.directory.config())
    from .portions import GpuFullError, is_out_of_memory
    from .preparation import prepare

    try:
        prepare(job).train()
        _publish(job)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise GpuFullError(error) from error


def before_torch(job: Job) -> None:
    """What libraries read as they are loaded."""
    if job.directory.config().training.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _publish(job: Job) -> None:
    """Copy the final file to where the person wants it. The run has its own: what goes wrong here
    is told and does not fail it."""
    output = job.directory.config().output
    if not output.publish_to:
        return
    try:
        copy = publish(
            job.directory, f"{output.name}.safetensors", Path(output.publish_to), output.name
        )
    except WizardError as error:
        job.emit(
            "problem",
            severity="warning",
            message=f"the file could not be published: {error.title}: {error.message}",
            where="output.publish_to",
            remedy=error.remedy,
        )
    else:
        job.emit("published", path=str(copy))


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
