"""What single values cannot show: options that contradict each other, or do nothing together. One
module per table of the TOML."""

from __future__ import annotations

from ..run_config import RunConfig
from . import (
    augmentation,
    captions,
    dataset,
    loss,
    network,
    optimizer,
    output,
    samples,
    validation,
)
from .base import Finding, Rule

_RULES: tuple[Rule, ...] = (
    *dataset.RULES,
    *augmentation.RULES,
    *captions.RULES,
    *network.RULES,
    *optimizer.RULES,
    *loss.RULES,
    *validation.RULES,
    *samples.RULES,
    *output.RULES,
)

__all__ = ["Finding", "findings"]


def findings(config: RunConfig) -> list[Finding]:
    """All that is wrong or without effect in ``config``."""
    return [finding for rule in _RULES for finding in rule(config)]
