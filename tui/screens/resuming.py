"""Before a run is gone on with: when it is to end by itself this time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import WizardError
from ...core.run.directory import RunDirectory
from ...core.run.limits import Limits
from ..walk import listing, start_limits
from ..walk.start_limits import Answers, OfOneStart
from .ask import Ask, told
from .limits import LimitsScreen

if TYPE_CHECKING:
    from ..app import WizardApp


def ask_to_resume(app: WizardApp, run: RunDirectory, start: Callable[[Limits], None]) -> None:
    """Ask, and call ``start`` with the limits that were given, if any; never, where the person
    leaves it."""
    _ask(app, run, OfOneStart.with_known_price(), start)


def ask_limits_first(app: WizardApp, run: RunDirectory, start: Callable[[Limits], None]) -> None:
    """As `ask_to_resume`, beginning with the limits."""
    _ask_limits(app, run, OfOneStart.with_known_price(), start)


def _ask(
    app: WizardApp, run: RunDirectory, answers: Answers, start: Callable[[Limits], None]
) -> None:
    lines = ["It goes on from what was saved last, and without this window, too."]
    if start_limits.arguments(answers):
        lines.append(f"It ends by itself {start_limits.in_short(answers)}.")
    choices = [("resume", "Go on"), ("limits", listing.WITHIN_LIMITS), ("", "Not yet")]

    def answered(name: str | None) -> None:
        wrong = start_limits.wrong(answers)
        if name == "limits" or (name and wrong):
            _ask_limits(app, run, answers, start, wrong.fact if wrong else "")
        elif name:
            _start(app, answers, start)

    app.push_screen(Ask(f"Go on with {run.name}?", "\n".join(lines), choices), answered)


def _ask_limits(
    app: WizardApp,
    run: RunDirectory,
    answers: Answers,
    start: Callable[[Limits], None],
    first: str = "",
) -> None:
    app.push_screen(LimitsScreen(first, answers), lambda _: _ask(app, run, answers, start))


def _start(app: WizardApp, answers: Answers, start: Callable[[Limits], None]) -> None:
    # Only now: a time is counted from here.
    try:
        limits = start_limits.of(answers)
    except WizardError as error:
        app.push_screen(told(error))
    else:
        start(limits)
