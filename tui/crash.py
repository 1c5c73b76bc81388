"""A mistake of ours: a word on the terminal, everything else in a file."""

from __future__ import annotations

import contextlib
import platform
import sys
import time
import traceback
from pathlib import Path

from ..core.errors import WizardError
from ..core.files import write_text
from ..core.run import registry
from ..core.run.directory import wizard_version


def report(error: BaseException) -> str:
    """Write what happened into the state folder; returns what to tell the person. The values of
    variables stay out of it: they may hold a token or somebody's captions."""
    path = registry.folder().with_name("crashes") / f"{time.strftime('%Y%m%d-%H%M%S')}.txt"
    told = "".join(traceback.format_exception(error))
    facts = f"lora-wizard {wizard_version()}, Python {platform.python_version()}, {sys.platform}\n"
    said = f"The wizard has made a mistake and had to close: {_in_short(error)}"
    kept = "Your draft is kept, and runs go on. `lora-wizard` continues."
    with contextlib.suppress(WizardError):
        write_text(path, f"{facts}{' '.join(sys.argv)}\n\n{told}")
        return f"{said}\n{kept}\nWhat happened is in {path}"
    return f"{said}\n{kept}\n{_place(error)}"


def _in_short(error: BaseException) -> str:
    words = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"It happened in {Path(last.filename).name}, line {last.lineno}." if last else ""
