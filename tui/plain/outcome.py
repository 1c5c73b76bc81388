"""After a training: what it has made, and which of it is the best."""

from __future__ import annotations

from ...core.errors import WizardError
from ...core.run.choice import choose
from ...core.run.directory import RunDirectory
from ...core.run.outcome import RunOutcome
from ..commands.results import tell
from ..follow import label
from ..walk.transfer import address
from .talk import BackError, LeaveError, Talk


def tell_results(talk: Talk, run: RunDirectory) -> None:
    """Tell everything that `lora-wizard results` tells; where there are several files, ask which
    is the best. Whoever leaves instead of answering leaves nothing undone."""
    try:
        outcome = RunOutcome.of(run)
        if _ask_best(talk, run, outcome):
            outcome = RunOutcome.of(run)
        talk.show()
        tell(run, outcome)
    except WizardError as error:
        talk.show(str(error))
        return
    there = address()
    if there and there.caveat:
        talk.say(there.caveat)
    talk.say(f"All of this again, at any time: lora-wizard results {label(run)}")


def _ask_best(talk: Talk, run: RunDirectory, outcome: RunOutcome) -> bool:
    with_files = [version for version in outcome.versions if version.file]
    if len(with_files) < 2 or outcome.best is None:
        return False
    talk.show()
    talk.say("The pictures that were drawn after each epoch, to compare:")
    for version in outcome.versions:
        for path in filter(None, version.pictures):
            talk.say(f"{version.label}: {path}", "  ")
    choices = [(version.label, version.file) for version in with_files]
    try:
        at = talk.choose("Which one is the best?", choices, with_files.index(outcome.best))
    except (BackError, LeaveError):
        return False
    copy = choose(run, with_files[at].file)
    if copy:
        talk.show(f"Copied to {copy}")
    return True
