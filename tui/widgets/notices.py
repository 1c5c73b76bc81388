"""What a monitor has to say: problems until they were seen, and answers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from ..walk import monitor_words as words
from ..walk.watching import Portion
from .text import shown


class Notices(Vertical):
    """A line of answers or hints; above it, the oldest problem that nobody has seen yet."""

    DEFAULT_CSS = """
    Notices { height: auto; padding: 0 1; }
    Notices #problem { height: auto; max-height: 3; color: $warning; display: none; }
    Notices.-problem #problem { display: block; }
    Notices #said { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked = ""
        self._answer = ""
        self._hint = ""
        self._said = ""
        self._problems: list[str] = []
        self._seen: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Static("", id="problem", markup=False)
        yield Static("", id="said", markup=False)

    def take(self, portion: Portion, hint: str) -> None:
        """Show what a portion brings; ``hint`` where nothing else is to be said."""
        status = portion.status
        if status.state != "live":
            # There will be no more answers: what to do now is worth more than the last one.
            self._asked = self._answer = ""
        elif answered := words.answer(self._asked, portion.told):
            self._answer, self._asked = answered, ""
        self._hint = words.silence(portion.silent_minutes) or hint
        self._problems = list(status.problems)
        self._write()

    def ask(self, what: str) -> None:
        """Say that something was asked for; nothing, when that was refused."""
        self._asked, self._answer = what, ""
        self._write()

    def say(self, text: str) -> None:
        """Say this, until there is an answer to something."""
        self._answer = text
        self._write()

    def seen(self) -> None:
        """Put the problem away that is shown, and show the next."""
        unseen = self._unseen
        self._seen.update(unseen[:1])
        self._write()

    @property
    def _unseen(self) -> list[str]:
        return [text for text in dict.fromkeys(self._problems) if text not in self._seen]

    def _write(self) -> None:
        unseen = self._unseen
        self.set_class(bool(unseen), "-problem")
        if unseen:
            count = f" 1 of {len(unseen)}" if len(unseen) > 1 else ""
            problem = f"!{count} {unseen[0]} (space: seen)"
            self.query_one("#problem", Static).update(shown(problem))
        said = words.ASKED.get(self._asked, "") or self._answer or self._hint
        if said != self._said:
            self._said = said
            self.query_one("#said", Static).update(shown(said), layout=False)
