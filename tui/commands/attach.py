"""`lora-wizard attach`: watch a run again, on the whole screen."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.run.directory import RunDirectory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument
    from .open import add_images_argument

    add_run_argument(parser)
    add_images_argument(parser)
    parser.epilog = (
        "Without RUN: the run that is going on, of several the one you choose, or else the one "
        "started last. Leaving stops watching, not the run. Without a terminal it is followed in "
        "plain lines, as `lora-wizard train` does."
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the monitor; follow plainly where there is no screen for it."""
    from ...core.run.directory import TRAIN
    from .open import is_asked, show, why_plain

    directory = _wanted(arguments.run)
    if directory is None:
        return 0
    if directory.record().what != TRAIN or not is_asked() or why_plain():
        from ..follow import follow

        return follow(directory)
    return show(arguments.images, run=directory)


def _wanted(name: str | None) -> RunDirectory | None:
    """The run that is meant: of several that go on, a person is asked; None when they leave. Raises
    WizardError when there is none, or when nobody can be asked."""
    from ...core.run.directory import find_run, known_runs
    from .open import is_asked

    live = [] if name else [run for run in known_runs() if run.is_live()]
    if len(live) < 2:
        return live[0] if live else find_run(name)
    if not is_asked():
        from ...core.errors import WizardError
        from ..follow import label

        ways = "\n".join(f"  lora-wizard attach {label(run)}" for run in live)
        raise WizardError("Several runs are going on", "", f"Say which:\n{ways}")
    return _asked_for(live)


def _asked_for(live: list[RunDirectory]) -> RunDirectory | None:
    from ...core.run.status import summary
    from ...core.run.wording import phase_in_words
    from ..plain.talk import BackError, LeaveError, Talk

    def state(run: RunDirectory) -> str:
        known = summary(run)
        steps = (
            f"step {known.step:,} of {known.total:,}"
            if known.total
            else phase_in_words(known.phase)
        )
        return f"{steps}, in {run.path.parent}"

    try:
        at = Talk().choose("Several runs are going on:", [(run.name, state(run)) for run in live])
    except (BackError, LeaveError):
        return None
    return live[at]
