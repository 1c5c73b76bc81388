"""The last step: all of it once more, saved, started."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from ...core.errors import WizardError
from ...core.run.directory import known_runs
from ..commands import train
from ..problems import problems_text
from ..walk import review, start_limits, steps
from ..walk.assessment import Assessment
from ..walk.draft import Draft
from ..walk.memory import remember_toml
from ..walk.start_limits import PRICE_QUESTION, QUESTIONS
from ..walk.steps import Step
from . import findings
from .limits import ask_limit
from .outcome import tell_results
from .rehearsing import rehearse
from .talk import KEEP, BackError, Talk

Way = tuple[str, Callable[[], object]]
"""What can be done: words, and the doing."""


class Review:
    """Shows what has been decided, and does what the person says: start, save, go to a step."""

    def __init__(self, talk: Talk, draft: Draft, assess: Callable[[], Assessment]) -> None:
        self._talk = talk
        self._draft = draft
        self._assess = assess
        self.exit_status: int | None = None
        """Of the run, once it was started."""
        self.wanted: Step | None = None
        """The step to go back to."""

    def ask(self) -> None:
        """Tell everything, then do what is wanted until that leads away."""
        known = self._assess()
        self._tell(known)
        while self.exit_status is None and self.wanted is None:
            self._ask_what(known)

    def _ask_what(self, known: Assessment) -> None:
        ways = self._ways_wrong(known) if known.errors else self._ways_on(known)
        ways["save"] = ("write the TOML", self._save)
        for step in steps.STEPS[:-1]:
            ways[step.name] = (f"back to {step.title}", partial(self._want, step))
        choices = [(name, words) for name, (words, _) in ways.items()]
        at = self._talk.choose("What now?", choices)
        ways[choices[at][0]][1]()

    def _ways_wrong(self, known: Assessment) -> dict[str, Way]:
        first = steps.step_of(known.errors[0].where)
        return {"mend": ("go to the first error", partial(self._want, first))}

    def _ways_on(self, known: Assessment) -> dict[str, Way]:
        ends = start_limits.in_short(self._draft)
        return {
            "start": ("begin the training", partial(self._start, known)),
            "rehearse": ("a real step, a sample, a save", partial(self._rehearse, known)),
            "limits": (f"say when it is to end by itself; now: {ends}", self._ask_limits),
        }

    def _want(self, step: Step) -> None:
        self.wanted = step

    def _rehearse(self, known: Assessment) -> None:
        if known.config and rehearse(self._talk, self._draft, known, known.config):
            # All of it again, as it is now.
            self.wanted = steps.STEPS[-1]

    def _ask_limits(self) -> None:
        with suppress(BackError):
            for asked in (*QUESTIONS[:2], PRICE_QUESTION, *QUESTIONS[2:]):
                ask_limit(self._talk, self._draft, asked)

    def _tell(self, known: Assessment) -> None:
        self._talk.show()
        self._talk.show("The TOML:")
        self._talk.show()
        self._talk.show(self._draft.text.rstrip("\n"))
        self._talk.show()
        for line in findings.of_run(self._draft, known):
            self._talk.say(line)
        if known.config:
            for warning in review.neighbours(known.config).warnings:
                self._talk.say(warning)
        self._talk.show()
        self._talk.show(problems_text(known.problems).rstrip("\n") or "Nothing is wrong with it.")
        self._talk.show()

    def _save(self) -> Path | None:
        """Ask where, and write; None when it could not be written."""
        draft = self._draft
        default = review.toml_path(draft)
        answer = self._talk.ask(f"Save as [{default}]:")
        try:
            path = default if answer == KEEP else review.destination(answer)
            if not draft.may_write(path) and not self._may_overwrite(path):
                return None
            draft.save_as(path)
        except WizardError as error:
            self._talk.show(str(error))
            return None
        remember_toml(path)
        self._talk.show(f"Saved: {path}")
        self._talk.say("To train it without any questions:")
        self._talk.show(review.command(draft))
        return path

    def _may_overwrite(self, path: Path) -> bool:
        changed = path == self._draft.source
        why = "was changed elsewhere" if changed else "is there already"
        return self._talk.agree(f"{path} {why}. Write over it?")

    def _start(self, known: Assessment) -> None:
        self._talk.say("Looking at every picture once more ...")
        progress = self._talk.progress("Pictures decoded:")
        problems = review.full_check(self._draft.snapshot(), known.base, progress)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            self._talk.show(problems_text(errors).rstrip("\n"))
            return
        if asked := start_limits.wrong(self._draft):
            ask_limit(self._talk, self._draft, asked)
            return
        path = self._draft.source if review.is_saved(self._draft) else self._save()
        if path is None:
            return
        self._talk.say("Ctrl-C stops watching; the training goes on.")
        self.exit_status = train.run(_arguments(review.command(self._draft)))
        run = next(iter(known_runs()), None)
        if run is not None and self.exit_status == 0:
            tell_results(self._talk, run)


def _arguments(command: str) -> argparse.Namespace:
    """What `train` takes from its own command line."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(shlex.split(command)[2:])
