"""What is decided about tags worked out and written, in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen
from textual.worker import get_current_worker

from ...core.config import RunConfig
from ...core.dataset.caption_files import Outcome
from ...core.errors import WizardError
from ...core.tags.changes import Pending
from ..walk.tags import Words, proposal

_Failed = Callable[[WizardError], object]


def propose(
    screen: Screen[Any],
    words: Words,
    config: RunConfig,
    *,
    done: Callable[[Pending], object],
    failed: _Failed,
) -> None:
    """Call ``done`` with what would be written."""
    app = screen.app

    def work() -> None:
        try:
            change = proposal(words, config)
        except WizardError as error:
            app.call_from_thread(failed, error)
        else:
            if not get_current_worker().is_cancelled:
                app.call_from_thread(done, change)

    screen.run_worker(work, thread=True, group="tags", exclusive=True)


def write(
    screen: Screen[Any],
    change: Pending,
    *,
    tell: Callable[[str], object],
    done: Callable[[Outcome], object],
    failed: _Failed,
) -> None:
    """Write it, ``tell`` how far that is, and call ``done`` with what was written."""
    app = screen.app

    def look(at: int, total: int) -> None:
        if at % 50 == 0 and not get_current_worker().is_cancelled:
            app.call_from_thread(tell, f"writing {at}/{total}")

    def work() -> None:
        try:
            outcome = change.write(look)
        except WizardError as error:
            app.call_from_thread(failed, error)
        else:
            app.call_from_thread(done, outcome)

    screen.run_worker(work, thread=True, group="tags", exclusive=True)
