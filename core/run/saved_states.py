"""Which states a run can go on from, as their folders' names say: nothing is read."""

from __future__ import annotations

import re
from pathlib import Path

from .directory import RunDirectory

MANIFEST = "state.json"
"""Written last: a state without one is an unfinished save."""
_FOLDER = re.compile(r"step-(\d{8,})")


def state_name(step: int) -> str:
    """The folder of the state at ``step``, below the run's ``state``."""
    return f"step-{step:08d}"


def states(folder: Path) -> list[tuple[int, Path]]:
    """(step, folder) of the states below ``folder``, whole or not."""
    if not folder.is_dir():
        return []
    matches = [(_FOLDER.fullmatch(place.name), place) for place in folder.iterdir()]
    return [(int(match[1]), place) for match, place in matches if match and place.is_dir()]


def last_step(run: RunDirectory) -> int:
    """The step that a resume goes on from; 0 when it begins again."""
    steps = [step for step, place in states(run.state_path) if (place / MANIFEST).is_file()]
    return max(steps, default=0)
