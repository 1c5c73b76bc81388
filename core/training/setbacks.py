"""Steps that gave no finite number: they are left out, and a run that gives no others is ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from ..dataset.plan import Window
from ..errors import EXIT_FAILED, WizardError
from ..run.job import Job

MOST_IN_A_ROW = 3
SHARE_OF_ALL = 0.05
_SPARED = 10
"""Setbacks of a run that count as few, however short it is."""
_NAMED = 8


class NotFiniteError(WizardError):
    """A loss or gradient is NaN or infinite, again and again; nothing of it has reached the
    network."""

    exit_code = EXIT_FAILED
    resume_helps = False


@dataclass
class Setbacks:
    """Counts the steps of a run whose loss or gradient was not finite.

    Going back to an earlier state would not help: every draw is keyed, so the same steps would give
    the same numbers. Leaving the step out keeps the network as it was before, which is the last
    good state there is.
    """

    job: Job
    total_steps: int
    in_a_row: int = 0
    in_all: int = 0
    _pictures: dict[str, int] = field(default_factory=dict)

    def passed(self) -> None:
        """A step was as it should be."""
        self.in_a_row = 0

    def met(self, step: int, loss: float, gradient: float, window: Window) -> None:
        """Leave out ``step``, and say so. Raises NotFiniteError when there were too many."""
        self.in_a_row += 1
        self.in_all += 1
        names = [draw.sample.id for micro_batch in window for draw in micro_batch]
        for name in names:
            self._pictures[name] = self._pictures.get(name, 0) + 1
        figures = f"loss {loss}, gradient {gradient}; pictures: {_listed(names)}"
        if self._are_too_many:
            raise NotFiniteError(
                f"Step {step} gave a loss or gradient that is not a number",
                f"{figures}. {self._history}. Nothing of it was saved.",
                "Usually the learning rate is too high, or fp16 too narrow for the model: start "
                "again with a lower optimizer.learning_rate, or with model.precision = "
                '"bf16" or "fp32". If it is always the same picture, look at it, and name it in '
                "dataset.exclude.",
            )
        self.job.emit(
            "problem",
            severity="warning",
            message=f"step {step} gave a loss or gradient that is not a number and was left out: "
            f"{figures}",
            remedy="If it is always the same picture, look at it.",
        )

    @property
    def _are_too_many(self) -> bool:
        allowed = max(_SPARED, SHARE_OF_ALL * self.total_steps)
        return self.in_a_row >= MOST_IN_A_ROW or self.in_all > allowed

    @property
    def _history(self) -> str:
        often = sorted(self._pictures.items(), key=lambda item: (-item[1], item[0]))
        again = [f"{name} ({count} times)" for name, count in often if count > 1]
        met = f"{self.in_a_row} steps in a row, {self.in_all} in all"
        return f"{met}; again and again: {_listed(again)}" if again else met


def finite(weights: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """``weights``. Raises NotFiniteError when they hold a NaN or infinity: a step that is far too
    long can leave them so though its gradient was finite."""
    for name, weight in weights.items():
        if not bool(torch.isfinite(weight).all()):
            raise NotFiniteError(
                "The LoRA's weights are no longer numbers, and are not saved",
                f"{name} holds NaN or infinity. The state before stands.",
                "Start again with a lower optimizer.learning_rate.",
            )
    return weights


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
