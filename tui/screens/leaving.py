"""What is open when the wizard is left."""

from __future__ import annotations

from collections.abc import Iterable

from textual.screen import Screen

from ..farewell import Left
from ..walk.progress import is_untouched
from .step import StepScreen


def left_on(screens: Iterable[Screen[object]]) -> Left:
    """What is open on ``screens``: a draft in which something was decided, or a run."""
    draft, run = None, None
    for screen in screens:
        if isinstance(screen, StepScreen) and not is_untouched(screen.app.draft):
            draft = screen.app.draft
        run = getattr(screen, "run_directory", run)
    return Left(draft, run)
