"""Errors that are meant to be read: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .text import printable

EXIT_FAILED = 1
"""The run failed."""
EXIT_USER_ERROR = 2
"""Something the user gave cannot work; nothing was started."""
EXIT_STOPPED = 75
"""Stopped before the end, saved, can be resumed (EX_TEMPFAIL, as schedulers expect it)."""


class WizardError(Exception):
    """A problem that a person can do something about.

    Shown without a traceback: ``title`` in one line, ``message`` with what and where,
    ``remedy`` with what to do.
    """

    exit_code = EXIT_USER_ERROR
    resume_helps = True
    """Of a run that it ended: False where a resume meets it again unless something else is done
    first, as the remedy says."""

    def __init__(self, title: str, message: str = "", remedy: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.message, self.remedy) if part)


@dataclass(frozen=True)
class Mend:
    """A change of the configuration that would mend a problem, to be offered."""

    label: str
    """What it does, as one would say it on a key."""
    values: Mapping[str, Any]
    """By TOML key: the new values, as plain Python."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or worth knowing, before anything is paid for.

    ``where`` is a TOML key (``training.epochs``) or a path; ``line`` counts from 1 in the TOML.
    """

    message: str
    where: str = ""
    line: int | None = None
    remedy: str = ""
    severity: str = "error"
    """``error`` (cannot run), ``warning`` (will run, probably not as wanted) or ``note``."""
    mends: tuple[Mend, ...] = field(default=(), compare=False)
    """The likeliest first."""

    @property
    def words(self) -> str:
        """What is wrong and what to do about it, as sentences; not yet safe to show."""
        end = "" if self.message.endswith((".", "!", "?", ":")) else "."
        return f"{self.message}{end} {self.remedy}".strip()


class ProblemsError(WizardError):
    """Several problems at once, so that nobody has to mend them one run at a time."""

    def __init__(self, title: str, problems: list[Problem], remedy: str = "") -> None:
        super().__init__(title, "\n".join(_line(problem) for problem in problems), remedy)
        self.problems = problems


def _line(problem: Problem) -> str:
    """One line whatever is in it: a file's name may hold newlines."""
    place = f"line {problem.line}: " if problem.line else ""
    where = f"{problem.where}: " if problem.where else ""
    # A remedy's own lines are ours: TOML to copy.
    remedy = f" {problem.remedy}".replace("\n", " ") if problem.remedy else ""
    return printable(f"{place}{where}{problem.message}{remedy}")
