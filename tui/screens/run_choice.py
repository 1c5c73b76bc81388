"""What is done with a run that was chosen from a list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...core.errors import WizardError
from ...core.run import control
from ..walk import listing
from ..walk.runs import RunEntry
from .ask import Ask, told
from .of_run import show_results, start_run, watch_run

if TYPE_CHECKING:
    from ..app import WizardApp


def choose_for(app: WizardApp, entry: RunEntry, on_change: Callable[[], None]) -> None:
    """Watch it, see what it made, or ask, where something would be started again. ``on_change`` is
    called when the run has been told something."""
    if entry.actions and entry.actions[0] != "resume":
        act(app, entry, entry.actions[0], on_change)
        return
    choices = [(action, listing.ACTION_WORDS[action]) for action in entry.actions]
    if "resume" in entry.actions:
        choices.insert(1, ("limits", listing.WITHIN_LIMITS))
    title = f"{entry.run.name}: {entry.word}"
    question = Ask(title, listing.run_detail(entry), [*choices, ("", "Back")])

    def answered(answer: str | None) -> None:
        if answer == "resume":
            start_run(app, entry.run)
        elif answer == "limits":
            from .resuming import ask_limits_first

            ask_limits_first(app, entry.run, partial(start_run, app, entry.run))
        else:
            act(app, entry, answer or "", on_change)

    app.push_screen(question, answered)


def act(app: WizardApp, entry: RunEntry, what: str, on_change: Callable[[], None]) -> None:
    """Do ``what``, one of the run's actions; nothing for an empty one."""
    if what == "watch":
        watch_run(app, entry.run)
    elif what == "results":
        show_results(app, entry.run)
    elif what == "resume":
        from .resuming import ask_to_resume

        ask_to_resume(app, entry.run, partial(start_run, app, entry.run))
    elif what == "stop":
        text = "It finishes the step and saves first; later it can be resumed."
        choices = [("stop", "Stop it"), ("", "Let it go on")]
        question = Ask(f"Stop {entry.run.name}?", text, choices)

        def answered(answer: str | None) -> None:
            if answer:
                _stop(app, entry, on_change)

        app.push_screen(question, answered)


def _stop(app: WizardApp, entry: RunEntry, on_change: Callable[[], None]) -> None:
    def request() -> None:
        try:
            control.request(entry.run, "stop")
        except WizardError as error:
            app.call_from_thread(app.push_screen, told(error))
        app.call_from_thread(on_change)

    app.run_worker(request, thread=True, group="request")
