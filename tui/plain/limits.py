"""When a run is to end by itself, as questions."""

from __future__ import annotations

from ..walk import start_limits
from ..walk.draft import Draft
from ..walk.start_limits import Question
from .talk import CLEAR, KEEP, Talk


def ask_limit(talk: Talk, draft: Draft, asked: Question) -> None:
    """Ask until the answer can be used. Raises BackError and LeaveError, as `Talk.ask` does."""
    talk.show()
    talk.say(f"{asked.label}, such as {asked.example}. {asked.help}")
    while True:
        answer = talk.ask(f"{asked.label} [{draft.fact(asked.fact)}]:")
        if answer != KEEP:
            draft.note(asked.fact, "" if answer == CLEAR else answer)
        said = start_limits.problem(draft, asked.fact)
        if not said:
            return
        talk.say(said, "  ")
