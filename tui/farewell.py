"""What is said on the plain terminal when the wizard is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.screen import Screen

from ..core.errors import WizardError
from ..core.run.directory import RunDirectory
from ..core.text import printable
from .screens.step import StepScreen
from .walk.draft import Draft
from .walk.progress import is_untouched


@dataclass(frozen=True)
class Left:
    """What was open when the wizard was left."""

    draft: Draft | None = None
    run: RunDirectory | None = None


def left_on(screens: Iterable[Screen[object]]) -> Left:
    """What is open on ``screens``: a draft in which something was decided, or a run."""
    draft, run = None, None
    for screen in screens:
        if isinstance(screen, StepScreen) and not is_untouched(screen.app.draft):
            draft = screen.app.draft
        run = getattr(screen, "run_directory", run)
    return Left(draft, run)


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
