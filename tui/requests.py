"""What is asked of a run that goes on, and answered at once: the run obeys after its step."""

from __future__ import annotations

import sys

from ..core.run import control
from ..core.run.directory import find_run
from ..core.text import printable


def leave(run: str | None, what: control.Request, answer: str) -> int:
    """Ask the run that is meant for ``what``, and say that it ``answer``s; the exit status."""
    directory = find_run(run)
    control.request(directory, what)
    sys.stdout.write(f"{printable(directory.name)}: {answer}.\n")
    return 0
