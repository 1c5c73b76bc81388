"""Which captions a run will see."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import RunConfig
from .captions import final_caption
from .order import RegularizationCycle
from .plan import DatasetPlan, Draw

MOST_PER_PICTURE = 4
"""Above, captions are hardly ever seen twice, and keeping them costs more than encoding."""


def caption_variants(plan: DatasetPlan, config: RunConfig, epochs: int) -> list[str] | None:
    """All captions of a run, as they are trained, each once; None when there are more than a few
    of each picture, or most are used only once."""
    options, most = config.captions, MOST_PER_PICTURE * len(plan.samples) + 1
    if not (options.shuffle or options.tag_dropout or options.wildcards):
        return _unchanging(plan, config)
    found: dict[str, None] = {}
    uses = 0
    for draw in _draws(plan, config, epochs):
        uses += 1
        found.setdefault(final_caption(draw, config))
        if len(found) > most:
            return None
    return list(found) if 2 * len(found) <= uses else None


def _unchanging(plan: DatasetPlan, config: RunConfig) -> list[str]:
    """One for each picture, and none at all where captions are dropped."""
    options = config.captions
    drops = options.dropout or options.dropout_every_epochs
    kept = options.model_copy(update={"dropout": 0.0, "dropout_every_epochs": 0})
    config = config.model_copy(update={"captions": kept})
    captions = [final_caption(Draw(sample, 1, 0), config) for sample in plan.samples]
    return list(dict.fromkeys([*captions, ""] if drops else captions))


def _draws(plan: DatasetPlan, config: RunConfig, epochs: int) -> Iterator[Draw]:
    cycle = RegularizationCycle.of(plan, config.training.seed)
    for epoch in range(1, epochs + 1):
        for sample in plan.training_samples:
            for repeat in range(sample.repeats):
                yield Draw(sample, epoch, repeat)
        yield from cycle.of_epoch(epoch)
