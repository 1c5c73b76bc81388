"""Making a run as long as somebody wants: which epochs or repeats give so many steps, what stands
in the way, and taking them over into the draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.config import RunConfig
from ...core.dataset.plan import ConceptSummary, DatasetPlan
from ...core.solving import solve_epochs, solve_repeats
from .draft import Draft

REPEATS, EPOCHS, LIMIT, CONCEPTS = (
    "dataset.repeats",
    "training.epochs",
    "training.max_steps",
    "dataset.concepts",
)

_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 30


@dataclass(frozen=True)
class Solution:
    """Values that bring a run near to a number of steps."""

    values: tuple[tuple[str, int], ...]
    """(what, number): ``epochs``, ``repeats``, or the concept's name when they have their own."""
    steps: int
    """What the run then has, exactly."""
    changes: tuple[tuple[str, Any], ...]
    """(option, value) for the draft; empty when the draft cannot say it."""
    obstacle: str = ""
    """Why it cannot, and what to do."""
    lifts_limit: bool = False
    """Whether ``training.max_steps`` is in the way and is taken out with it."""

    def __str__(self) -> str:
        said = ", ".join(f"{name} {number:,}" for name, number in self.values)
        return f"{said} -> {self.steps:,} steps"


def by_epochs(target: int, plan: DatasetPlan, config: RunConfig) -> Solution:
    """The epochs that give about ``target`` steps, with the repeats as they are."""
    solved = solve_epochs(target, plan, config)
    lifted = _is_in_the_way(solved.steps, config)
    changes = ((EPOCHS, solved.epochs), *_without_limit(lifted))
    return Solution((("epochs", solved.epochs),), solved.steps, changes, lifts_limit=lifted)


def by_repeats(target: int, plan: DatasetPlan, config: RunConfig) -> Solution:
    """The repeats that give about ``target`` steps, with the epochs as they are. Several concepts
    keep their proportion."""
    solved = solve_repeats(target, plan, config)
    own = _trained(plan)
    lifted = _is_in_the_way(solved.steps, config)
    if len(own) == 1:
        values = (("repeats", solved.repeats[0]),)
    else:
        names = [item.name for item in own]
        values = tuple(zip(names, solved.repeats, strict=True))
    obstacle = named_folders(plan, config)
    if obstacle:
        return Solution(values, solved.steps, (), obstacle, lifted)
    changes = _repeats(plan, config, solved.repeats)
    return Solution(values, solved.steps, (*changes, *_without_limit(lifted)), "", lifted)


def better(epochs: Solution, repeats: Solution) -> str:
    """Which of the two leaves a usual number of epochs, each of which is a file to choose from:
    ``epochs`` or ``repeats``."""
    ((_, number),) = epochs.values
    usual = _FEWEST_EPOCHS <= number <= _MOST_EPOCHS
    return "epochs" if usual or repeats.obstacle else "repeats"


def is_set(draft: Draft, solution: Solution) -> bool:
    """Whether the draft says just that."""
    return not solution.obstacle and all(
        draft.value(key) == value for key, value in solution.changes
    )


def take_over(draft: Draft, changes: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Put values into the draft; returns the changes that put back what was there."""
    before = [(key, draft.value(key) if draft.is_set(key) else None) for key, _ in changes]
    for key, value in changes:
        draft.put(key, value)
    return before


def option_counts(plan: DatasetPlan, config: RunConfig) -> bool:
    """Whether ``dataset.repeats`` decides how often any picture counts."""
    return any(_follows_option(item, config) for item in _trained(plan))


def named_folders(plan: DatasetPlan, config: RunConfig) -> str:
    """What to say when folders named N_name give the repeats; empty when none does."""
    named = _named(plan, config)
    if not named:
        return ""
    said = ", ".join(f"{item.folder.name}" for item in named[:4])
    more = f" and {len(named) - 4} more" if len(named) > 4 else ""
    return (
        f"The folders' names give the repeats ({said}{more}), so the field changes nothing. "
        "Listed in the TOML they can be changed here; the folders stay as they are."
    )


def folders_as_concepts(
    draft: Draft, plan: DatasetPlan, config: RunConfig
) -> list[tuple[str, Any]]:
    """The changes that list the N_name folders under ``dataset.concepts``, with the repeats that
    their names give: the same pictures and steps, but repeats that can be changed."""
    listed = [_written(item) for item in draft.value(CONCEPTS)]
    listed += [
        {"folder": str(item.folder), "repeats": item.repeats} for item in _named(plan, config)
    ]
    return [(CONCEPTS, listed), ("dataset.folder", None), (REPEATS, None)]


def concept_repeats(plan: DatasetPlan, config: RunConfig) -> list[ConceptSummary]:
    """The concepts of ``dataset.concepts``, in its order: each has repeats of its own."""
    return _trained(plan)[: len(config.dataset.concepts)]


def repeats_key(number: int) -> str:
    """The option of the repeats of one of ``dataset.concepts``."""
    return f"{CONCEPTS}[{number}].repeats"


def _trained(plan: DatasetPlan) -> list[ConceptSummary]:
    return [item for item in plan.concepts if not item.is_regularization]


def _follows_option(item: ConceptSummary, config: RunConfig) -> bool:
    return bool(config.dataset.folder) and item.folder == Path(config.dataset.folder)


def _named(plan: DatasetPlan, config: RunConfig) -> list[ConceptSummary]:
    rest = _trained(plan)[len(config.dataset.concepts) :]
    return [item for item in rest if not _follows_option(item, config)]


def _repeats(
    plan: DatasetPlan, config: RunConfig, repeats: Sequence[int]
) -> tuple[tuple[str, Any], ...]:
    """The changes that give the trained concepts ``repeats``; none of them is a named folder."""
    listed = [item.model_dump(exclude_unset=True) for item in config.dataset.concepts]
    for item, count in zip(listed, repeats, strict=False):
        item["repeats"] = count
    changes: list[tuple[str, Any]] = [(CONCEPTS, listed)] if listed else []
    rest = zip(_trained(plan), repeats, strict=True)
    changes += [(REPEATS, count) for item, count in rest if _follows_option(item, config)]
    return tuple(changes)


def _written(item: Any) -> dict[str, Any]:
    return dict(item) if isinstance(item, dict) else item.model_dump(exclude_unset=True)


def _is_in_the_way(steps: int, config: RunConfig) -> bool:
    limit = config.training.max_steps
    return limit is not None and limit < steps


def _without_limit(lifted: bool) -> tuple[tuple[str, Any], ...]:
    return ((LIMIT, None),) if lifted else ()
