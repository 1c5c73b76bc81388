"""A rehearsal, told line by line."""

from __future__ import annotations

from ...core.config import RunConfig
from ...core.errors import WizardError
from ..walk import dataset, rehearsal
from ..walk.assessment import Assessment
from ..walk.draft import Draft
from .option_question import say_problem
from .talk import Talk


def rehearse(talk: Talk, draft: Draft, known: Assessment, config: RunConfig) -> bool:
    """Rehearse ``config``, tell what came of it and offer what mends its problems; whether the
    draft is another one now. Ctrl-C ends the rehearsal alone."""
    talk.say(f"{rehearsal.ABOUT} Ctrl-C ends it.")
    price, told = draft.fact("price_per_hour"), set[str]()

    def tell(words: str) -> None:
        if words not in told:
            told.add(words)
            talk.show(f"  {words} ...")

    try:
        found = rehearsal.rehearse(known, config, price, tell)
    except KeyboardInterrupt:
        talk.show()
        talk.say("The rehearsal was ended.")
        return False
    except WizardError as error:
        talk.show(str(error))
        return False
    for line in found.lines:
        talk.say(line)
    for name, text in found.estimated:
        talk.say(f"{name} of the whole run: {text}")
    for problem in found.problems:
        say_problem(talk, problem)
        choices = [*((mend.label, "") for mend in problem.mends), ("leave it as it is", "")]
        at = talk.choose("What should be done?", choices) if problem.mends else len(choices)
        if at < len(problem.mends):
            dataset.mend(draft, problem.mends[at])
            return True
    return False
