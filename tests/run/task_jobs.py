"""The job of a task: counts to its ``count``, and notes each number in the task's folder."""

import sys
import time

from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.run.tasks import TaskDirectory


def work(job: Job) -> None:
    directory = TaskDirectory(job.directory.path)
    count = directory.values()["count"]
    job.phase("counting", total=count)
    for number in range(1, count + 1):
        time.sleep(0.01)
        with (directory.path / "counted").open("a") as counted:
            counted.write(f"{number} about {directory.about().name}\n")
        job.progress(number)


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
