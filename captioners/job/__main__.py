"""``python -m lora_wizard.captioners.job DIRECTORY``: caption what the task in DIRECTORY names."""

from __future__ import annotations

import os
import sys

from ...core.run.job import Job, run_job


def work(job: Job) -> None:
    """The work of a captioning job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    # Before the hub's client is imported: what is not on this machine was said before, and nothing
    # is looked up or sent while pictures are captioned.
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from .captioning import Captioning

    Captioning(job).run()


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
