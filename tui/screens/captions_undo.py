"""Bringing captions back that a change has replaced, in a thread when they are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.screen import Screen
from textual.worker import get_current_worker

from ...captioners.job import writing
from ...core.dataset.caption_files import CaptionFiles, Change, Outcome
from ...core.errors import WizardError

_AT_ONCE = 20
"""Files that are restored without a thread."""


def undo(
    screen: Screen[Any],
    files: CaptionFiles,
    changes: Sequence[Change],
    *,
    tell: Callable[[str], None],
    done: Callable[[Change, Outcome], None],
) -> None:
    """Take back ``changes`` of one title; ``tell`` how far that is, ``done`` when it is."""
    app = screen.app

    def work() -> None:
        worker = get_current_worker()

        def look(at: int, total: int) -> None:
            if at % 50 == 0 and not worker.is_cancelled:
                app.call_from_thread(tell, f"bringing back {at}/{total}")

        try:
            outcome = writing.undo(files, changes, look)
        except WizardError as error:
            app.call_from_thread(tell, f"{error.title}: {error.message}")
        else:
            app.call_from_thread(done, changes[0], outcome)

    if sum(change.files for change in changes) > _AT_ONCE:
        screen.run_worker(work, thread=True, group="undo", exclusive=True)
        return
    try:
        outcome = writing.undo(files, changes)
    except WizardError as error:
        tell(f"{error.title}: {error.message}")
    else:
        done(changes[0], outcome)
