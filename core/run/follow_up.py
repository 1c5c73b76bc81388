"""The command that is run when a job is over: an upload, a message, the end of the machine."""

from __future__ import annotations

import os
import subprocess

from .directory import RunDirectory


def start(directory: RunDirectory, command: str) -> str:
    """Run ``command`` in a shell of its own, in the run's folder, and do not wait. Its output goes
    to the run's log. Returns what to say of it.

    It finds ``LORA_WIZARD_RUN`` (the folder), ``LORA_WIZARD_OUTCOME`` (``finished``, ``stopped``,
    ``failed``) and ``LORA_WIZARD_FILE`` (the final file, empty without one) in its environment.
    """
    record, config = directory.record(), directory.config()
    final = directory.path / f"{config.output.name}.safetensors"
    facts = {
        "LORA_WIZARD_RUN": str(directory.path),
        "LORA_WIZARD_OUTCOME": record.outcome,
        "LORA_WIZARD_FILE": str(final) if final.exists() else "",
    }
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    log = os.open(directory.log_path, flags, 0o666)
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory.path,
            env={**os.environ, **facts},
            start_new_session=True,
        )
    finally:
        os.close(log)
    return f"afterwards (process {process.pid}): {command}"
