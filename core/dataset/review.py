"""What a set of pictures lacks, said before it is trained: few, small, all alike, much cropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config import RunConfig
from ..errors import Problem
from .buckets import BucketRule, kept_share
from .layout_words import DRAWS
from .plan import Sample

FEW = 10
"""Guides begin at 10 (S0), a dozen (S1), 20 (S4)."""
_CROPPED_MUCH = 0.75
_ENLARGED_MUCH = 1.25


def review(samples: Sequence[Sample], config: RunConfig, rule: BucketRule) -> list[Problem]:
    """Warnings and notes about the pictures; none of them stops a run."""
    training = [sample for sample in samples if not sample.is_regularization]
    regularization = [sample for sample in samples if sample.is_regularization]
    return [
        *_about_number(training),
        *_about_size(training, rule),
        *_about_shape(training, config, rule),
        *_about_options(training, regularization, config),
        *_about_crops(samples, config),
    ]


def _about_number(training: Sequence[Sample]) -> Iterator[Problem]:
    if len(training) < FEW:
        yield Problem(
            f"{len(training)} pictures are few: the LoRA will know little but these.",
            "dataset",
            remedy="10 to 30 varied pictures are usual; variety beats number.",
            severity="warning",
        )


def _about_size(training: Sequence[Sample], rule: BucketRule) -> Iterator[Problem]:
    small = [item for item in training if _enlarged(item) > _ENLARGED_MUCH]
    if small:
        yield Problem(
            f"{len(small)} of {len(training)} pictures {'is' if len(small) == 1 else 'are'} "
            f"smaller than the resolution of {rule.width}x{rule.height} and enlarged, which "
            f"trains blur: {_some(small)}.",
            "dataset.resolution",
            remedy="Use larger pictures, a lower dataset.resolution, or dataset.upscale = false.",
            severity="warning",
        )


def _about_shape(
    training: Sequence[Sample], config: RunConfig, rule: BucketRule
) -> Iterator[Problem]:
    cropped = [item for item in training if kept_share(item.crop, item.bucket) < _CROPPED_MUCH]
    if cropped:
        yield Problem(
            f"{len(cropped)} of {len(training)} pictures "
            f"{'loses' if len(cropped) == 1 else 'lose'} more than a quarter at their edges "
            f"to fit a bucket: {_some(cropped)}.",
            "dataset.buckets",
            remedy="Crop them yourself, or allow longer buckets (dataset.bucket_max_side)."
            if config.dataset.buckets
            else "Turn dataset.buckets on.",
            severity="warning",
        )
    if len(training) >= FEW and len({item.bucket for item in training}) == 1 and rule.buckets[1:]:
        yield Problem(
            f"All pictures have one shape, {training[0].bucket}: others are learned less well.",
            "dataset",
            severity="note",
        )


def _about_options(
    training: Sequence[Sample], regularization: Sequence[Sample], config: RunConfig
) -> Iterator[Problem]:
    if not config.dataset.upscale and not config.dataset.buckets:
        yield Problem(
            "Without buckets all pictures come to the resolution, also by enlarging.",
            "dataset.upscale",
            severity="warning",
        )
    if regularization and (config.captions.prefix or config.captions.suffix):
        yield Problem(
            "Prefix and suffix are put to the captions of regularization pictures too.",
            "captions.prefix",
            remedy="Words that call the subject belong into captions.trigger_words.",
            severity="warning",
        )
    needed = sum(sample.repeats for sample in training)
    if regularization and len(regularization) < needed:
        yield Problem(
            f"{needed} regularization pictures are used in an epoch, and there are "
            f"{len(regularization)}: they come again.",
            "dataset.regularization_folder",
            remedy=DRAWS,
            severity="note",
        )


def _about_crops(samples: Sequence[Sample], config: RunConfig) -> Iterator[Problem]:
    if not config.augmentation.random_crop:
        return
    fixed = sum(kept_share(item.crop, item.bucket) == 1 for item in samples)
    if fixed == len(samples):
        yield Problem(
            "has no effect: every picture fits its bucket, and nothing is cut off",
            "augmentation.random_crop",
            remedy="Turn dataset.buckets off, or leave this out and cache the pictures.",
            severity="warning",
        )
    elif fixed:
        yield Problem(
            f"{fixed} of {len(samples)} pictures fit their bucket and are seen whole each time.",
            "augmentation.random_crop",
            severity="note",
        )


def _enlarged(sample: Sample) -> float:
    return sample.crop.scaled_width / sample.width


def _some(samples: Sequence[Sample], limit: int = 5) -> str:
    more = f" and {len(samples) - limit} more" if len(samples) > limit else ""
    return ", ".join(sample.name for sample in samples[:limit]) + more
