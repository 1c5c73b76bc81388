"""``python -m lora_wizard.core.regularization DIRECTORY``: draw the class pictures of a task."""

from __future__ import annotations

import sys

from ..run.job import Job, run_job
from ..run.tasks import TaskDirectory
from .start import Work


def work(job: Job) -> None:
    """The work of the job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    task = Work.of(TaskDirectory(job.directory.path).values())
    # Only now: the launcher waits until the directory is held.
    from .draw import draw_all

    draw_all(job, task)


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
