"""Questions and answers in lines of text: nothing is ever drawn over, nothing is told by colour."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from ...core.text import printable
from ..problems import wrapped

KEEP = ""
"""The answer of a person who presses enter: all stays as it is."""
CLEAR = "-"
"""The answer that takes away what is there."""
HOW = (
    "Enter keeps what stands in brackets; - empties it; ? explains; < goes back one question; "
    "q leaves, and everything is kept."
)
_SIGN_OF_LIFE = 3.0


class BackError(Exception):
    """The person wants the question before this one."""


class LeaveError(Exception):
    """The person leaves; what was answered is kept."""


class Talk:
    """A conversation on standard input and output. Everything said is made safe to show."""

    def __init__(self) -> None:
        self.questions = 0
        """How many were asked so far."""

    def say(self, text: str, indent: str = "") -> None:
        """A paragraph, in lines of the terminal's width."""
        self.show(wrapped(printable(text), indent))

    def show(self, text: str = "") -> None:
        """Lines that stay as they are."""
        sys.stdout.write(printable(text, keep_newlines=True) + "\n")

    def ask(self, prompt: str, explain: Callable[[], None] | None = None) -> str:
        """What the person types: `KEEP`, or text without blanks around it.

        Raises BackError and LeaveError, the latter also at the end of the input.
        """
        self.questions += 1
        while True:
            sys.stdout.write(printable(prompt) + " ")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                self.show()
                raise LeaveError
            answer = line.strip()
            if not sys.stdin.isatty():
                # A terminal shows what is typed; a file of answers leaves the prompt hanging.
                self.show()
            if answer == "?":
                (explain or self._how)()
            elif answer == "<":
                raise BackError
            elif answer in ("q", "Q"):
                raise LeaveError
            elif not answer.isprintable():
                self.say("There are control characters in that, perhaps an arrow key. Again:")
            else:
                return answer

    def agree(self, question: str, *, default: bool = False) -> bool:
        """Yes or no."""
        while True:
            answer = self.ask(f"{question} [{'Y/n' if default else 'y/N'}]:").lower()
            if answer == KEEP:
                return default
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")
            self.say("Answer y for yes or n for no.")

    def choose(
        self,
        question: str,
        choices: Sequence[tuple[str, str]],
        default: int = 0,
        explain: Callable[[], None] | None = None,
    ) -> int:
        """The index of the one of ``choices`` (word, what it means) that is chosen by its number,
        from 1, or by its word."""
        self.show(question)
        for number, (word, meaning) in enumerate(choices, start=1):
            self.show(
                wrapped(
                    printable(f"{word}: {meaning}" if meaning else word), "     ", f"  {number}. "
                )
            )
        while True:
            answer = self.ask(f"Number or word [{default + 1}]:", explain)
            found = default if answer == KEEP else chosen(answer, [word for word, _ in choices])
            if found is not None:
                return found
            self.say(f"There is no {answer!r} among them. Type a number from 1 to {len(choices)}.")

    def progress(self, what: str) -> Callable[[int, int], None]:
        """Something to be told how far ``what`` is: it says so now and then."""
        last = time.monotonic()

        def told(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _SIGN_OF_LIFE:
                last = time.monotonic()
                self.show(f"{what} {done} of {total}")

        return told

    def _how(self) -> None:
        self.say(HOW)


def chosen(answer: str, words: Sequence[str]) -> int | None:
    """The index that ``answer`` means: a number from 1, a word, or the only word that begins so."""
    if answer.isdecimal() and 1 <= int(answer) <= len(words):
        return int(answer) - 1
    wanted = answer.casefold()
    exact = [at for at, word in enumerate(words) if word.casefold() == wanted]
    begun = [at for at, word in enumerate(words) if word.casefold().startswith(wanted)]
    found = exact or begun
    return found[0] if len(found) == 1 else None
