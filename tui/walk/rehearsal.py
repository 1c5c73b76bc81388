"""A rehearsal from the wizard: what it found, in words, and what the run takes as it is known
now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...core.config import RunConfig
from ...core.errors import Problem
from ...core.estimates import estimate_here
from ...core.families import registry as families
from ...core.rehearsal import start, words
from .assessment import Assessment

ABOUT = (
    "A few real steps, a sample and a save at the largest size, and on a GPU the largest batch "
    "that fits. Only the figures stay."
)


@dataclass(frozen=True)
class Rehearsed:
    """What came of it. Lines are not yet safe to show."""

    lines: list[str]
    """Figures, and warnings that it met on the way."""
    estimated: list[tuple[str, str]]
    """(name, figure) of what the whole run takes, from what was measured."""
    problems: list[Problem]


def rehearse(
    known: Assessment,
    config: RunConfig,
    price: str,
    tell: Callable[[str], object],
    look: Callable[[], object] = lambda: None,
) -> Rehearsed:
    """Rehearse ``config``, the one that is ``known``; see `core.rehearsal.start.rehearse` for
    ``tell``, ``look`` and what is raised."""
    measured, met = start.rehearse(config, tell, look)
    estimated: list[tuple[str, str]] = []
    if known.plan:
        spec = families.find(config.model.family)
        told = estimate_here(
            config, spec, plan=known.plan, schedule=known.schedule, base=known.base
        )
        wanted = ("Time", "Cost", "GPU memory") if told.fit else ("Time", "Cost")
        estimated = [(name, text) for name, text, _ in told.lines(price) if name in wanted]
    return Rehearsed(
        [*words.sentences(measured), *met], estimated, words.problems(measured, config)
    )
