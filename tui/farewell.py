"""What is said on the plain terminal when the wizard is left."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import WizardError
from ..core.run.directory import RunDirectory
from ..core.text import printable
from .walk.draft import Draft


@dataclass(frozen=True)
class Left:
    """What was open when the wizard was left."""

    draft: Draft | None = None
    run: RunDirectory | None = None


def farewell(left: Left) -> str:
    """How to come back to what was open: lines, or nothing."""
    draft, run = left.draft, left.run
    if run is not None:
        return _of_run(run)
    if draft is not None:
        saved = f" It is saved as {draft.source}." if draft.source else ""
        return (
            printable(f"The draft {draft.name} is kept; `lora-wizard` continues it.{saved}") + "\n"
        )
    return ""


def _of_run(run: RunDirectory) -> str:
    from .follow import label

    name = label(run)
    try:
        live = run.is_live()
    except WizardError:
        live = False
    if not live:
        return f"{printable(str(run.path))}\nLook again: lora-wizard attach {name}\n"
    return (
        f"{printable(run.name)} goes on without this window.\n"
        f"  watch it again:  lora-wizard attach {name}\n"
        f"  stop and save:   lora-wizard stop {name}\n"
    )
