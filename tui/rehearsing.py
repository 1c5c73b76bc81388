"""A rehearsal from the command line: started, waited for, gone."""

from __future__ import annotations

import sys

from ..core.config import RunConfig
from ..core.rehearsal import start
from ..core.rehearsal.measured import Measured
from ..core.text import printable
from .terminal import redraws


def rehearse(config: RunConfig) -> Measured:
    """Rehearse ``config``, saying on stderr what it does. Ctrl-C ends it. Raises RehearsalError,
    StartError."""
    is_terminal = redraws(sys.stderr)

    def tell(words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{words} ..." if is_terminal else f"{words} ...\n")
        sys.stderr.flush()

    try:
        measured, met = start.rehearse(config, tell)
    finally:
        if is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
    sys.stderr.write("".join(f"{printable(line)}\n" for line in met))
    return measured
