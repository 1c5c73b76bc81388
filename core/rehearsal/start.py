"""Starting a rehearsal, and hearing what it found. No torch."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from ..config import RunConfig
from ..errors import EXIT_FAILED, WizardError
from ..places import cache_folder
from ..run.directory import RunDirectory
from ..run.events import Event, EventReader
from ..run.launch import launch
from .measured import Measured

MODULE = "lora_wizard.core.rehearsal"
PHASES = {
    "load model": "loading the model",
    "rehearse a step": "taking steps at the largest size",
    "rehearse a save": "saving",
    "rehearse a sample": "drawing a sample",
    "find the largest batch": "looking for the largest batch that fits",
}
"""What the longer phases are, for people."""


class RehearsalError(WizardError):
    """The rehearsal did not come to its end."""

    exit_code = EXIT_FAILED


def begin(config: RunConfig) -> tuple[RunDirectory, subprocess.Popen[bytes]]:
    """Start rehearsing ``config``, in a folder of its own that `clear` removes. Raises StartError,
    WizardError."""
    folder = str(cache_folder() / "rehearsals")
    output = config.output.model_copy(update={"folder": folder, "publish_to": ""})
    elsewhere = config.model_copy(update={"output": output})
    directory = RunDirectory.create(elsewhere, what="rehearse")
    try:
        return directory, launch(directory, MODULE)
    except BaseException:
        clear(directory)
        raise


def result(directory: RunDirectory) -> Measured:
    """What an ended rehearsal measured. Raises RehearsalError with why it did not."""
    failed: Event | None = None
    for event in EventReader(directory.events_path).read():
        if event["kind"] == "rehearsed":
            with contextlib.suppress(TypeError):
                known = Measured.__dataclass_fields__
                return Measured(**{name: event[name] for name in event if name in known})
        if event["kind"] == "failed":
            failed = event
    if failed is None:
        raise RehearsalError("The rehearsal was ended", "It measured nothing.")
    raise RehearsalError(
        f"The rehearsal failed: {failed.get('title', '')}",
        str(failed.get("message", "")),
        str(failed.get("remedy", "")),
    )


def warnings(directory: RunDirectory) -> list[str]:
    """What it met on the way."""
    return [
        str(event.get("message", ""))
        for event in EventReader(directory.events_path).read()
        if event["kind"] == "problem"
    ]


def clear(directory: RunDirectory) -> None:
    """Remove the rehearsal's folder."""
    if Path(directory.path).parent == cache_folder() / "rehearsals":
        shutil.rmtree(directory.path, ignore_errors=True)
