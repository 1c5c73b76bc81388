"""`lora-wizard --plain`: the walk through a draft, one question after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.config.options import OptionInfo
from ..walk import steps
from ..walk.assessment import Assessment, Assessor
from ..walk.draft import Draft
from ..walk.opening import opened
from ..walk.steps import Step
from . import beginning
from .extra_questions import ExtraQuestions
from .mending import offer_mends
from .option_question import ask_option, is_askable, say_problem
from .review import Review
from .talk import BackError, LeaveError, Talk
from .unpacking import FOLDER, is_packed, offer_to_unpack

_INTERRUPTED = 130


@dataclass(frozen=True)
class Stop:
    """One place on the way."""

    step: Step
    do: Callable[[], None]
    is_report: bool = False
    """Told when one comes by, and passed over on the way back."""


def run(path: Path | None = None) -> int:
    """Ask on standard input what the screens ask, beginning with the TOML or the pictures at
    ``path`` if there is one; returns the exit status. What was answered is kept whenever the person
    leaves. Raises WizardError when ``path`` cannot be read."""
    talk, begun = Talk(), None
    with _nothing_redrawn():
        try:
            begun = opened(path) if path else beginning.choose(talk)
            if isinstance(begun, int):
                return begun
            held = beginning.hold(talk, begun)
            try:
                begun.keep()
                return PlainWalk(talk, begun).go()
            finally:
                held.release()
        except LeaveError:
            status = 0
        except KeyboardInterrupt:
            talk.show()
            status = _INTERRUPTED
    if begun is not None:
        talk.say("All that was answered is kept: `lora-wizard --plain` goes on from there.")
    return status


class PlainWalk:
    """All questions of the walk in their order, forwards and backwards."""

    def __init__(self, talk: Talk, draft: Draft) -> None:
        self.talk = talk
        self.draft = draft
        self._assessor = Assessor()
        self._with_more: set[Step] = set()
        self._extra = ExtraQuestions(talk, draft, self.assess)
        self._review = Review(talk, draft, self.assess)
        self._stops = list(self._all_stops())

    def go(self) -> int:
        """Ask until the training is over or goes on without us, or the person leaves (LeaveError);
        returns the exit status."""
        at, direction, told = self._first(steps.find(self.draft.step)), 1, None
        while self._review.exit_status is None:
            stop = self._stops[at]
            if stop.step is not told:
                told = stop.step
                self._begin(stop.step)
            direction = self._at(stop, direction)
            wanted, self._review.wanted = self._review.wanted, None
            if wanted:
                at, direction, told = self._first(wanted), 1, None
            elif at + direction < 0:
                self.talk.say("This is the first question.")
                direction = 1
            else:
                at = min(at + direction, len(self._stops) - 1)
        return self._review.exit_status

    def assess(self) -> Assessment:
        """What is known of the draft now; says how far it is when that takes long."""
        progress = self.talk.progress("Pictures read:")
        return self._assessor.assess(self.draft.snapshot(), progress)

    def _at(self, stop: Stop, direction: int) -> int:
        """Do what there is to do at ``stop``; returns where to go on: 1 or -1."""
        if direction < 0 and stop.is_report:
            return direction
        asked = self.talk.questions
        try:
            stop.do()
        except BackError:
            return -1
        if said := self.draft.take_trouble():
            self.talk.say(said)
        return 1 if self.talk.questions > asked else direction

    def _all_stops(self) -> Iterator[Stop]:
        known: set[str] = set()
        for step in steps.STEPS:
            mine = [info for info in step.options() if info.key not in known]
            known |= {info.key for info in mine}
            basic = [info for info in mine if info.level == "basic"]
            more = [info for info in mine if info.level != "basic" and is_askable(info)]
            for do in self._extra.before(step):
                yield Stop(step, do)
            for info in basic:
                yield Stop(step, partial(self._ask, info))
            for do in self._extra.beside(step):
                yield Stop(step, do)
            if more:
                yield Stop(step, partial(self._offer, step, len(more)))
            for info in more:
                yield Stop(step, partial(self._ask, info, of=step))
            for do in self._extra.reports(step):
                yield Stop(step, do, is_report=True)
            for do in self._extra.after(step):
                yield Stop(step, do)
            yield Stop(step, partial(self._mend, step))
            for do in self._extra.when_mended(step):
                yield Stop(step, do)
        yield Stop(steps.STEPS[-1], self._review.ask)

    def _first(self, step: Step) -> int:
        return next(at for at, stop in enumerate(self._stops) if stop.step is step)

    def _begin(self, step: Step) -> None:
        self.draft.step = step.name
        place = steps.STEPS.index(step) + 1
        self.talk.show()
        self.talk.show(f"Step {place} of {len(steps.STEPS)}: {step.title}. {step.purpose}")

    def _ask(self, info: OptionInfo, of: Step | None = None) -> None:
        if of is not None and of not in self._with_more:
            return
        if not self._extra.applies(info):
            return
        again = False
        while True:
            changed = ask_option(self.talk, self.draft, info, again=again)
            if info.key == FOLDER:
                changed |= offer_to_unpack(self.talk, self.draft)
            if not (changed and info.path):
                return
            again = True
            if is_packed(self.draft):
                self.talk.say("Give another path, or the folder after unpacking it by hand.", "  ")
                continue
            wrong = [item for item in self.assess().errors if item.where == info.key]
            for problem in wrong:
                say_problem(self.talk, problem)
            if not wrong:
                return

    def _offer(self, step: Step, count: int) -> None:
        self.talk.show()
        more = "1 more option, good as it is" if count == 1 else f"{count} more, good as they are"
        if self.talk.agree(f"{more}. Go on to {'it' if count == 1 else 'them'}?"):
            self._with_more.add(step)
        else:
            self._with_more.discard(step)

    def _mend(self, step: Step) -> None:
        """Offer what can be done about the problems of a step, and ask again for what is wrong in
        it, once."""
        if offer_mends(self.talk, self.draft, step, self.assess):
            for tell in self._extra.reports(step):
                tell()
        known = {info.key: info for info in step.options() if is_askable(info)}
        told: set[str] = set()
        for problem in step.problems(self.assess().errors):
            if problem.where in known and problem.where not in told:
                told.add(problem.where)
                self.talk.show()
                say_problem(self.talk, problem)
                self._ask(known[problem.where])


@contextmanager
def _nothing_redrawn() -> Iterator[None]:
    """As if the terminal could not move its cursor: so says also whatever follows a run."""
    before = os.environ.get("TERM")
    os.environ["TERM"] = "dumb"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TERM"]
        else:
            os.environ["TERM"] = before
