"""What a problem offers to do about itself, as a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.errors import Mend, Problem
from ..walk import dataset
from ..walk.assessment import Assessment
from ..walk.draft import Draft
from ..walk.steps import Step
from .option_question import say_problem
from .talk import Talk

_LEAVE = "leave it as it is"


def offer_mends(talk: Talk, draft: Draft, step: Step, assess: Callable[[], Assessment]) -> bool:
    """Offer what the problems of ``step`` offer, each once; a change may bring others.
    Returns whether anything was changed."""
    offered: set[str] = set()
    has_changed = False
    while True:
        problem = _next(step.problems(assess().problems), offered)
        if problem is None:
            return has_changed
        offered.add(problem.message)
        talk.show()
        say_problem(talk, problem)
        mends: Sequence[Mend] = problem.mends
        at = talk.choose(
            "What should be done?",
            [*((mend.label, "") for mend in mends), (_LEAVE, "")],
            default=0 if problem.severity == "error" else len(mends),
        )
        if at < len(mends):
            dataset.mend(draft, mends[at])
            has_changed = True
            talk.show(f"Done: {mends[at].label}")


def _next(problems: Sequence[Problem], offered: set[str]) -> Problem | None:
    return next((item for item in problems if item.mends and item.message not in offered), None)
