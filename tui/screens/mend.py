"""From a problem on the review to where it is mended, or to what mends it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.errors import Mend, Problem
from ..walk import review, steps
from ..walk.dataset import mend
from ..widgets.fields import SIGNS
from ..widgets.form import Form
from .ask import Ask
from .captions import CaptionsScreen
from .form_step import FormStep
from .step import StepScreen

_BACK = ("", "Back")


def refuse(screen: StepScreen, errors: Sequence[Problem], go: Callable[[Problem], None]) -> None:
    """Say what stands in the way of a start, and offer to ``go`` to the first of it."""
    text = "\n".join(f"{SIGNS['error']} {review.problem_line(item)}" for item in errors)
    choices = [("mend", "Go to the first one"), _BACK]

    def answered(name: str | None) -> None:
        if name:
            go(errors[0])

    screen.app.push_screen(Ask("It cannot start yet", text, choices), answered)


def go_to(
    screen: StepScreen, problem: Problem, others: Sequence[Problem], changed: Callable[[], None]
) -> None:
    """Offer what mends ``problem``, one of ``others``; where nothing does, go to its step.
    ``changed`` is called when the draft is another one."""
    if key := review.unknown_key(problem):
        choices = [("out", f"Take {key} out of the TOML"), ("", "Leave it")]

        def take_out(name: str | None) -> None:
            if name:
                screen.app.draft.take_out(key)
                changed()

        title = f"Nothing here knows {key}"
        screen.app.push_screen(Ask(title, problem.remedy, choices), take_out)
    elif mends := review.ways_out(problem, others):
        _offer(screen, problem, mends, changed)
    else:
        _go_to_step(screen, problem)


def _offer(
    screen: StepScreen, problem: Problem, mends: Sequence[Mend], changed: Callable[[], None]
) -> None:
    step = steps.step_of(problem.where)
    choices = [(str(at), item.label) for at, item in enumerate(mends)]
    if step is not screen.step:
        choices.append(("go", f"Go to {step.title}"))

    def answered(name: str | None) -> None:
        if name == "go":
            _go_to_step(screen, problem)
        elif name:
            mend(screen.app.draft, mends[int(name)])
            changed()

    question = Ask("To mend it", review.problem_line(problem), [*choices, _BACK])
    screen.app.push_screen(question, answered)


def _go_to_step(screen: StepScreen, problem: Problem) -> None:
    step = steps.step_of(problem.where)
    if step is screen.step:
        return
    app, key = screen.app, problem.where.partition("[")[0]

    async def focus() -> None:
        if isinstance(app.screen, FormStep):
            await app.screen.focus_field(key)
            return
        here = app.screen
        for place in [here] if isinstance(here, CaptionsScreen) else here.query(Form):
            place.focus_field(key)

    app.go(step.name)
    app.call_after_refresh(focus)
