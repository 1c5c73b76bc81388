"""Which of a run's files a person found the best."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import WizardError
from ..files import write_json
from .directory import RunDirectory
from .publish import publish

_RECORD = "chosen.json"


def choose(run: RunDirectory, file: str) -> Path | None:
    """Note ``file`` as the best of the run; where `output.publish_to` is set, its copy takes the
    place of the one that the run published. Returns the path of that copy.

    Raises WizardError for a file that the run's manifest does not have, WriteError when the copy
    cannot be written; the choice is noted before.
    """
    if file not in run.manifest():
        raise WizardError(
            "This run has no such file", file, "`lora-wizard status` names the run's files."
        )
    write_json(run.path / _RECORD, {"file": file})
    output = run.config().output
    return publish(run, file, Path(output.publish_to), output.name) if output.publish_to else None


def chosen(run: RunDirectory) -> str:
    """The file that was chosen; empty when none was, or when it is gone."""
    try:
        file = json.loads((run.path / _RECORD).read_bytes())["file"]
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    return file if isinstance(file, str) and file in run.manifest() else ""
