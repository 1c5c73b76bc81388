"""Jobs without torch: real processes that hold a run directory and do as they are told."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lora_wizard.core.errors import WizardError
from lora_wizard.core.run.job import Job, run_job


class _ForGoodError(WizardError):
    resume_helps = False


def work(job: Job) -> None:
    told = json.loads(os.environ.get("JOB_SCRIPT", "{}"))
    if told.get("helper"):
        helper = subprocess.Popen(["sleep", "600"])
        (job.directory.path / "helper").write_text(str(helper.pid))
    if told.get("swallow"):
        _swallow()
    pause = told.get("pause", 0.02)
    steps = told.get("steps", 5)
    job.phase("prepare", total=told.get("items", 2))
    for item in range(told.get("items", 2)):
        time.sleep(pause)
        job.progress(item + 1)
    if told.get("fail") == "user":
        raise WizardError("The base model is not there", "/no/model", "Download it.")
    if told.get("fail") == "for good":
        raise _ForGoodError("It is no number any more", "step 3", "Lower the rate.")
    if told.get("fail") == "ours":
        raise RuntimeError("a mistake with " + os.environ.get("HF_TOKEN", "no token"))
    job.may_end_now = False
    job.phase("train", total=steps)
    for step in range(1, steps + 1):
        time.sleep(pause)
        if told.get("chatter"):
            sys.stdout.write("x" * 2000 + "\n")
        job.emit("step", step=step, total=steps, epoch=(step - 1) // 10 + 1, loss=1 / step)
        if "save" in job.take_requests():
            _save(job, step)
        if job.pause_requested:
            for _ in job.paused(step):
                _save(job, step)
            job.phase("train", total=steps)
        if job.stop_requested:
            _save(job, step)
            job.check_stop()
    time.sleep(told.get("hang", 0))
    if told.get("save", True):
        _save(job, steps)


def _swallow() -> None:
    """As C code does that is imported: whatever a signal raises is lost, and it fails later."""
    with contextlib.suppress(BaseException):
        signal.raise_signal(signal.SIGTERM)
    raise ImportError("cannot load module more than once per process")


def _save(job: Job, step: int) -> None:
    path = Path(f"lora-{step:06d}.safetensors")
    (job.directory.path / path).write_bytes(b"weights")
    job.emit("saved", path=str(path), step=step, epoch=1, sha256="", bytes=7)


if __name__ == "__main__":
    sys.exit(run_job(sys.argv[1], work))
