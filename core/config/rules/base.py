"""What a rule is. A rule reads a RunConfig with absolute paths and nothing else: no disk, no model
family's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...errors import Mend, Problem
from ..run_config import RunConfig


@dataclass(frozen=True)
class Finding:
    """A problem and the options it comes from."""

    problem: Problem
    keys: tuple[str, ...]


Rule = Callable[[RunConfig], Iterator[Finding]]


def error(message: str, *keys: str, remedy: str = "", mends: tuple[Mend, ...] = ()) -> Finding:
    """The run cannot be as the options ``keys`` say; the first is the one to change."""
    return Finding(Problem(message, where=keys[0], remedy=remedy, mends=mends), keys)


def warning(message: str, *keys: str, remedy: str = "", mends: tuple[Mend, ...] = ()) -> Finding:
    """The run can be, but hardly as meant."""
    problem = Problem(message, where=keys[0], remedy=remedy, severity="warning", mends=mends)
    return Finding(problem, keys)


def note(message: str, *keys: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(Problem(message, where=keys[0], remedy=remedy, severity="note"), keys)
