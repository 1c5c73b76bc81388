"""Rules of `[dataset]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..run_config import RunConfig
from .base import Finding, Rule, error, warning

MAX_SIDE = 8192
MIN_SIDE = 8


def _pictures(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    keys = ("dataset.folder", "dataset.concepts")
    if not dataset.folder and not dataset.concepts:
        yield error("is required", *keys, remedy="Name the folder with the pictures.")
    if dataset.folder and dataset.concepts:
        yield error("stands beside dataset.concepts", *keys, remedy="Keep one of the two.")
    folders = [concept.folder for concept in dataset.concepts]
    for index, folder in enumerate(folders):
        if folder in folders[:index]:
            yield error(
                "is the folder of an earlier concept too",
                f"dataset.concepts[{index}].folder",
                remedy="Name each folder once; its repeats give it weight.",
            )
    if dataset.concepts and dataset.repeats != 1:
        yield warning(
            "has no effect beside dataset.concepts",
            "dataset.repeats",
            "dataset.concepts",
            remedy="Give each concept its own repeats.",
        )


def _folders(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    pictures = {"dataset.folder": dataset.folder} if dataset.folder else {}
    pictures |= {
        f"dataset.concepts[{index}].folder": concept.folder
        for index, concept in enumerate(dataset.concepts)
    }
    regularization = dataset.regularization_folder
    for key, folder in pictures.items():
        if regularization and Path(regularization) == Path(folder):
            yield error(
                f"is the same folder as {key}",
                "dataset.regularization_folder",
                key,
                remedy="Class pictures are other pictures than the subject's.",
            )
    pictures |= {"dataset.regularization_folder": regularization} if regularization else {}
    for key, folder in pictures.items():
        if Path(config.output.folder).is_relative_to(folder):
            yield error(
                f"is inside {key}: sample pictures would become training pictures",
                "output.folder",
                key,
                remedy="Choose a folder elsewhere.",
            )


def _sizes(config: RunConfig) -> Iterator[Finding]:
    dataset = config.dataset
    resolution = dataset.resolution
    sides = [resolution] if isinstance(resolution, int) else resolution
    key = "dataset.resolution"
    if sides is not None:
        if isinstance(resolution, list) and len(resolution) != 2:
            yield error(f"has {len(resolution)} sides", key, remedy="Write [width, height].")
        elif not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
            yield error(f"has a side that is not from {MIN_SIDE} to {MAX_SIDE}", key)
    low, high = dataset.bucket_min_side, dataset.bucket_max_side
    if low is not None and high is not None and low > high:
        yield error(
            f"is {low}, more than dataset.bucket_max_side, {high}",
            "dataset.bucket_min_side",
            "dataset.bucket_max_side",
        )
    if not dataset.buckets:
        # bucket_step stays: the one size that is left is rounded to it.
        for name in ("bucket_min_side", "bucket_max_side"):
            if getattr(dataset, name) is not None:
                yield warning(
                    "has no effect while dataset.buckets is false",
                    f"dataset.{name}",
                    "dataset.buckets",
                )


RULES: tuple[Rule, ...] = (_pictures, _folders, _sizes)
