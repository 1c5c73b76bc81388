"""The pictures of `[validation]`: read as those of training are, and never trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..config import AugmentationOptions, CaptionOptions, RunConfig
from ..errors import Problem, ProblemsError
from ..families.base import FamilySpec
from ..files import sha256_of
from .build import build_plan
from .plan import DatasetPlan, Sample

_KEPT = (
    "trigger_words",
    "prefix",
    "suffix",
    "separator",
    "keep_tokens_separator",
    "secondary_separator",
    "wildcards",
    "metadata",
    "max_tokens",
    "weighted",
)
"""What a caption always has, and how it is read. What varies from use to use is left out, but for a
choice, which is always the same one: the same network is to give the same loss."""


def validation_config(config: RunConfig) -> RunConfig:
    """``config`` with the validation pictures in the place of the dataset, and without
    augmentation. Masks count as in training."""
    dataset = config.dataset.model_copy(
        update={
            "folder": config.validation.folder,
            "repeats": 1,
            "concepts": [],
            "regularization_folder": "",
        }
    )
    kept = {name: getattr(config.captions, name) for name in _KEPT}
    captions = CaptionOptions.model_validate(kept)
    varied = {"dataset": dataset, "captions": captions, "augmentation": AugmentationOptions()}
    return config.model_copy(update=varied)


def validation_plan(config: RunConfig, spec: FamilySpec) -> DatasetPlan | None:
    """The validation pictures with buckets and captions; None without any.

    Raises ProblemsError as `build_plan` does, of the key ``validation.folder``.
    """
    if not config.validation.folder:
        return None
    try:
        return build_plan(validation_config(config), spec)
    except ProblemsError as error:
        problems = [_moved(problem) for problem in error.problems]
        raise ProblemsError("The validation pictures cannot be used like this", problems) from error


def trained_too(validated: DatasetPlan, plan: DatasetPlan) -> list[str]:
    """The names of validation pictures that are trained on: files with the same bytes."""
    trained: dict[tuple[int, int, int], list[Path]] = {}
    for sample in plan.samples:
        trained.setdefault(_looks(sample), []).append(sample.path)
    return [
        sample.name
        for sample in validated.samples
        if any(_same(sample.path, path) for path in trained.get(_looks(sample), ()))
    ]


def _looks(sample: Sample) -> tuple[int, int, int]:
    return sample.width, sample.height, sample.file_size


def _same(one: Path, other: Path) -> bool:
    try:
        return sha256_of(one) == sha256_of(other)
    except OSError:
        return False


def _moved(problem: Problem) -> Problem:
    if problem.where.startswith("dataset"):
        return replace(problem, where="validation.folder", mends=())
    return problem
