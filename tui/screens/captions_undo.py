"""Bringing captions back that a change has replaced, in a thread when they are many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen
from textual.worker import get_current_worker

from ...core.dataset.caption_files import CaptionFiles, Outcome
from ...core.dataset.caption_journal import Change
from ...core.errors import WizardError

_AT_ONCE = 20
"""Files that are restored without a thread."""


def undo(
    screen: Screen[Any],
    files: CaptionFiles,
    change: Change,
    *,
    tell: Callable[[str], None],
    done: Callable[[Change, Outcome], None],
) -> None:
    """Take ``change`` back, ``tell`` how far that is, and call ``done`` when it is."""
    app = screen.app

    def work() -> None:
        worker = get_current_worker()

        def look(at: int, total: int) -> None:
            if at % 50 == 0 and not worker.is_cancelled:
                app.call_from_thread(tell, f"bringing back {at}/{total}")

        try:
            outcome = files.undo(change, look)
        except WizardError as error:
            app.call_from_thread(tell, f"{error.title}: {error.message}")
        else:
            app.call_from_thread(done, change, outcome)

    if change.files > _AT_ONCE:
        screen.run_worker(work, thread=True, group="undo", exclusive=True)
        return
    try:
        outcome = files.undo(change)
    except WizardError as error:
        tell(f"{error.title}: {error.message}")
    else:
        done(change, outcome)
