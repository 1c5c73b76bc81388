"""``python -m lora_wizard.captioners.job DIRECTORY``: caption what the task in DIRECTORY names."""

from __future__ import annotations

import sys

from ...core.run.job import Job, run_job


def work(job: Job) -> None:
    """The work of a captioning job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    from .captioning import Captioning

    Captioning(job).run()


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
