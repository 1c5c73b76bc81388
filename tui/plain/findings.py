"""What is known of a draft, as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...core.config import RunConfig
from ...core.config.sources import in_names
from ...core.dataset.plan import ConceptSummary, DatasetPlan, Sample
from ...core.rules_of_thumb import RuleOfThumb, explain
from ..walk.assessment import Assessment
from ..walk.draft import Draft
from ..walk.figures import (
    cost_reading,
    disk_reading,
    file_reading,
    files_reading,
    folder_reading,
    memory_reading,
    pictures_reading,
    steps_reading,
    time_reading,
)
from ..walk.review import difference_lines

_LISTED = 6
_CAPTIONS = 3


def of_pictures(plan: DatasetPlan) -> Iterator[str]:
    """What was found per concept, and in which sizes."""
    for concept in plan.concepts:
        yield _concept(concept)
    sizes = sorted(
        {(sample.width, sample.height) for sample in plan.training_samples},
        key=lambda size: (size[0] * size[1], size),
    )
    texts = [f"{width}x{height}" for width, height in (sizes[0], sizes[-1])]
    between = f"from {texts[0]} to {texts[1]}" if len(sizes) > 1 else texts[0]
    buckets = Counter(sample.bucket for sample in plan.training_samples).most_common()
    named = [f"{bucket} ({_counted(count, 'picture')})" for bucket, count in buckets[:_LISTED]]
    more = f" and {len(buckets) - _LISTED} more" if len(buckets) > _LISTED else ""
    yield f"Sizes: {between}. They are trained at {', '.join(named)}{more}."


def of_captions(plan: DatasetPlan) -> Iterator[str]:
    """How many have a caption, and the first few."""
    samples = plan.training_samples
    written = [sample for sample in samples if sample.caption_path]
    yield f"{len(written)} of {_counted(len(samples), 'picture')} have a caption of their own."
    if len(written) < len(samples):
        yield "A picture without one takes its concept's name."
    yield from (f"{sample.path.name}: {_caption(sample)}" for sample in samples[:_CAPTIONS])


def of_rules(plan: DatasetPlan, config: RunConfig) -> Iterator[str]:
    """What the guides would count, and why it differs."""
    return (_rule(rule) for rule in explain(plan, config))


def of_run(draft: Draft, known: Assessment) -> Iterator[str]:
    """Length, files, room and time, and what is not the preset's."""
    price = draft.fact("price_per_hour")
    told = [
        *(steps_reading(known), time_reading(known), cost_reading(known, price)),
        *(memory_reading(known), file_reading(known), files_reading(known)),
        *(pictures_reading(known), disk_reading(known), folder_reading(known)),
    ]
    for reading in filter(None, told):
        behind = f" ({reading.behind.rstrip('.')})" if reading.behind else ""
        yield f"{reading.label}: {reading.value}{behind}".replace("\n", ", ")
    origin = "the preset" if draft.template else "the file as it was opened"
    for label, before, now in difference_lines(draft):
        yield f"{label}: {_in_a_line(now)}; {origin} says {_in_a_line(before)}."


def _in_a_line(text: str) -> str:
    return ", ".join(text.splitlines())


def _concept(concept: ConceptSummary) -> str:
    kind = " (regularization)" if concept.is_regularization else ""
    share = "" if concept.is_regularization else f", {concept.share:.0%} of training"
    return (
        f"{concept.name}{kind}: {_counted(concept.images, 'picture')}, "
        f"{_counted(concept.captions, 'caption')}, each used "
        f"{_counted(concept.repeats, 'time')} an epoch{share}. In {concept.folder}"
    )


def _rule(rule: RuleOfThumb) -> str:
    to = f" to {rule.upper:,.0f}" if rule.upper is not None else ""
    reason = rule.difference_reason
    why = f" {reason[:1].upper()}{reason[1:]}." if reason else " They agree."
    return (
        f"{in_names(rule.source)}: {rule.formula} gives {rule.value:,.4g}{to} {rule.unit}; "
        f"exactly it is {rule.exact:,.4g}.{why}"
    )


def _caption(sample: Sample) -> str:
    text = sample.caption or "(empty)"
    return text if len(text) <= 300 else f"{text[:299]}…"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
