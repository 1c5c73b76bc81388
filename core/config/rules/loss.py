"""Rules of `[loss]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from .base import Finding, Rule, warning


def _loss(config: RunConfig) -> Iterator[Finding]:
    if config.loss.prior_loss_weight != 1 and not config.dataset.regularization_folder:
        yield warning(
            "has no effect without dataset.regularization_folder",
            "loss.prior_loss_weight",
            "dataset.regularization_folder",
        )


RULES: tuple[Rule, ...] = (_loss,)
