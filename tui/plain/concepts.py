"""The folders that are trained, one by one."""

from __future__ import annotations

from collections.abc import Callable

from ...core.config import values
from ...core.config.config_problems import options
from ...core.config.options import OptionInfo
from ...core.dataset.layout_words import counted
from ..walk import concepts
from ..walk.assessment import Assessment
from ..walk.dataset import ConceptRow, concept_rows
from ..walk.draft import Draft
from ..walk.option_words import label_of
from .option_question import explain_option, say_problem
from .talk import CLEAR, KEEP, BackError, Talk

_TABLE = "dataset.concepts[]."
_FOLDER = "folder"
"""Is what the person chose: not asked again."""


class ConceptQuestions:
    """Asks what is to be changed of several folders, until nothing is."""

    def __init__(self, talk: Talk, draft: Draft, assess: Callable[[], Assessment]) -> None:
        self._talk = talk
        self._draft = draft
        self._assess = assess

    def ask(self) -> None:
        """Offer each folder; nothing where there is only one that is not listed."""
        while rows := self._rows():
            self._talk.show()
            found = [(row.summary.name, self._said(row)) for row in rows]
            at = self._talk.choose("The folders:", [("go on", "leave them as they are"), *found])
            if at == 0:
                return
            try:
                self._change(rows, rows[at - 1])
            except BackError:
                continue

    def _rows(self) -> list[ConceptRow]:
        known = self._assess()
        rows = [row for row in concept_rows(known.plan) if not row.summary.is_regularization]
        return rows if len(rows) > 1 or self._draft.value("dataset.concepts") else []

    def _said(self, row: ConceptRow) -> str:
        item = row.summary
        repeats = counted(item.repeats, "repeat")
        return f"{counted(item.images, 'picture')}, {repeats}, {item.share:.0%} of an epoch"

    def _change(self, rows: list[ConceptRow], row: ConceptRow) -> None:
        name = row.summary.name
        ways = [("change", "its repeats, its name, its words"), ("leave out", "do not train it")]
        at = self._talk.choose(f"{name}:", ways if len(rows) > 1 else ways[:1])
        if at == 1:
            concepts.drop_concept(self._draft, rows, row)
            self._talk.say(f"{name} is left out. Its files stay as they are.")
            return
        for key, info in options().items():
            part = key.removeprefix(_TABLE)
            if key.startswith(_TABLE) and part != _FOLDER:
                self._ask(rows, row, part, info)

    def _ask(self, rows: list[ConceptRow], row: ConceptRow, part: str, info: OptionInfo) -> None:
        talk = self._talk
        talk.show()
        talk.show(f"{label_of(info)} of {row.summary.name}")
        talk.say(info.help, "  ")
        now = concepts.told(self._draft, row).get(part)
        shown = values.as_text(info, now) if now is not None else ""
        while True:
            answer = talk.ask(f"{label_of(info)} [{shown}]:", lambda: explain_option(talk, info))
            if answer == KEEP:
                return
            value = None if answer == CLEAR else values.parse(info, answer)
            problem = concepts.change(self._draft, rows, row, part, value)
            if problem is None:
                return
            say_problem(talk, problem)
