"""From the review to a run: what to know before, the TOML, the run's directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...core.errors import WizardError
from ...core.run.directory import RunDirectory
from ..walk import review, start_limits
from ..walk.draft import Snapshot
from .ask import Ask, told
from .of_run import start_run
from .save import overwriting
from .step import StepScreen

_GROUP = "start"


def ask_to_start(screen: StepScreen, saved: Callable[[], None]) -> None:
    """Look at the machine's other runs, ask, save the TOML (`saved` is told), make the run and
    start it."""
    snapshot = screen.app.draft.snapshot()
    _in_thread(screen, lambda: _look_around(screen, snapshot, saved))


def _look_around(screen: StepScreen, snapshot: Snapshot, saved: Callable[[], None]) -> None:
    config = snapshot.read().config
    found = review.neighbours(config) if config else review.Neighbours()
    screen.app.call_from_thread(_confirm, screen, found, saved)


def _confirm(screen: StepScreen, found: review.Neighbours, saved: Callable[[], None]) -> None:
    if not screen.is_current:
        return  # left, or asked already
    app = screen.app
    lines = [f"The TOML goes to {review.toml_path(app.draft)}.", *found.warnings]
    lines.append("It goes on without this window: `lora-wizard attach` comes back to it.")
    if start_limits.arguments(app.draft):
        lines.append(f"It ends by itself {start_limits.in_short(app.draft)}.")
    choices = [("start", "Start"), ("", "Not yet")]
    if found.unfinished:
        go_on = ("resume", f"Go on with run {found.unfinished.name}")
        choices = [go_on, ("start", "Start anew, beside it"), ("", "Not yet")]

    def answered(name: str | None) -> None:
        if name == "resume" and found.unfinished:
            _launch(screen, found.unfinished)
        elif name == "start":
            _save(screen, saved)

    app.push_screen(Ask("Start the training?", "\n".join(lines), choices), answered)


def _save(screen: StepScreen, saved: Callable[[], None]) -> None:
    path = review.toml_path(screen.app.draft)

    def write() -> None:
        try:
            screen.app.draft.save_as(path)
        except WizardError as error:
            screen.app.push_screen(told(error))
            return
        saved()
        _in_thread(screen, lambda: _make(screen, path))

    overwriting(screen.app, path, write)


def _make(screen: StepScreen, path: Path) -> None:
    app = screen.app
    try:
        run = review.new_run(path)
    except WizardError as error:
        app.call_from_thread(app.push_screen, told(error))
    else:
        app.call_from_thread(_launch, screen, run)


def _launch(screen: StepScreen, run: RunDirectory) -> None:
    # Only now: a time is counted from here.
    try:
        start_run(screen.app, run, start_limits.of(screen.app.draft))
    except WizardError as error:
        screen.app.push_screen(told(error))


def _in_thread(screen: StepScreen, work: Callable[[], None]) -> None:
    screen.run_worker(work, thread=True, exclusive=True, group=_GROUP)
