"""Which runs this machine knows, so that a command without a path means the latest.

One small file per run in ``$XDG_STATE_HOME/lora-wizard/runs``, rewritten when a job starts. A
convenience: when it cannot be written, runs are found by their path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from ..errors import WizardError
from ..files import write_json
from ..places import state_folder


def folder() -> Path:
    """Where the runs are remembered."""
    return state_folder() / "runs"


def remember(run: Path) -> None:
    """Make ``run`` the latest. Never raises."""
    path = run.absolute()
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:24] + ".json"
    with contextlib.suppress(OSError, WizardError, RuntimeError):
        entry = {"path": str(path), "started": time.time_ns()}
        write_json(folder() / name, entry, durable=False)


def remembered() -> list[Path]:
    """All remembered runs, whether still there or not, the latest first."""
    found: list[tuple[int, str]] = []
    with contextlib.suppress(OSError, RuntimeError):
        for path in folder().glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                entry = json.loads(path.read_bytes())
                found.append((int(entry["started"]), str(entry["path"])))
    return [Path(path) for _, path in sorted(found, reverse=True)]
