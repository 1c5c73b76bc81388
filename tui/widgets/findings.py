"""What was found out about a draft, to be read line by line, and what would mend it, to be done by
a key."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...core.errors import Mend, Problem
from .fields import SIGNS
from .text import shown

MEND_KEY = "F8"
_WORDS = {"error": "error: ", "warning": "", "note": ""}


class Findings(OptionList):
    """Problems with their remedies, and below each what it offers: enter does it, and goes on
    where nothing is offered."""

    class Offered(Message):
        """A way out was taken."""

        def __init__(self, mend: Mend) -> None:
            super().__init__()
            self.mend = mend

    DEFAULT_CSS = """
    Findings { height: auto; max-height: 9; border: none; padding: 0; background: transparent; }
    Findings:focus { border: none; background: $surface; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self._mends: list[Mend | None] = []
        self._problems: Sequence[Problem] = ()

    @property
    def first(self) -> Mend | None:
        """What the key does without choosing; a note's offer is never taken by it."""
        graver = (item for item in self._problems if item.severity != "note")
        return next((item.mends[0] for item in graver if item.mends), None)

    def show(self, problems: Sequence[Problem]) -> None:
        """Show other problems, the gravest first; nothing moves when they are the same."""
        keys = [(problem, problem.mends) for problem in problems]
        if keys == [(problem, problem.mends) for problem in self._problems] and self._mends:
            return
        self._problems = problems
        self._mends = []
        rows: list[Option] = []
        for problem in problems:
            rows.append(Option(_said(problem)))
            self._mends.append(None)
            for mend in problem.mends:
                key = f"{MEND_KEY}  " if mend is self.first else "    "
                rows.append(Option(Content.assemble("    ", (key, "bold")) + shown(mend.label)))
                self._mends.append(mend)
        self.clear_options()
        self.add_options(rows)
        self.display = bool(rows)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        mend = self._mends[event.option_index]
        if mend:
            self.post_message(self.Offered(mend))
        else:
            self.screen.focus_next()

    def action_select(self) -> None:
        """Take the offer under the cursor, or go on."""
        if self.highlighted is None:
            self.screen.focus_next()
        else:
            super().action_select()


def _said(problem: Problem) -> Content:
    sign = f"{SIGNS.get(problem.severity, ' ')} {_WORDS.get(problem.severity, '')}"
    style = {"error": "$text-error", "warning": "$text-warning"}.get(problem.severity, "")
    place = problem.where.rpartition("/")[2] + ": " if problem.where.startswith("/") else ""
    return Content.styled(sign, style) + shown(f"{place}{problem.words}")
