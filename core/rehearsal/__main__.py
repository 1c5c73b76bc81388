"""``python -m lora_wizard.core.rehearsal RUN_DIR``: rehearse the run in RUN_DIR."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from ..run.directory import RunDirectory
from ..run.job import Job, run_job
from ..training.__main__ import before_torch
from .start import clear

_GLANCE = 0.5
_PATIENCE = 20.0


def work(job: Job) -> None:
    """The work of a rehearsal's job. Raises WizardError for whatever a person can mend."""
    job.phase("start")
    before_torch(job)
    from ..training.portions import GpuFullError, is_out_of_memory
    from .rehearse import rehearse

    try:
        rehearse(job)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise GpuFullError(error) from error


class Asker:
    """Who waits for the rehearsal. Unlike a run it is for nobody once they are gone, however they
    went: it ends, and its folder goes too."""

    def __init__(self) -> None:
        self._pid = os.getppid()

    @property
    def is_gone(self) -> bool:
        return os.getppid() != self._pid

    def watch(self) -> None:
        """End this process when the asker is gone."""
        while not self.is_gone:
            time.sleep(_GLANCE)
        os.kill(os.getpid(), signal.SIGTERM)
        # What waits for a GPU may never hear it.
        time.sleep(_PATIENCE)
        os._exit(1)


if __name__ == "__main__":
    asker, directory = Asker(), RunDirectory(Path(sys.argv[1]))
    threading.Thread(target=asker.watch, name="asker", daemon=True).start()
    status = run_job(directory.path, work)
    if asker.is_gone:
        clear(directory)
    sys.exit(status)
