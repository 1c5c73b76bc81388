"""The steps of the walk, in their order. A new one is a line here and a file in `tui/screens`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ...core.config.config_problems import options
from ...core.config.options import OptionInfo
from ...core.errors import Problem


@dataclass(frozen=True)
class Step:
    """One step. ``keys`` are the options that are decided in it (``section.*``: all of a section
    that no step names); the plain questions ask the basic ones of them, and its problems are
    theirs."""

    name: str
    """Also of its module in `tui.screens`, whose class is the name in capitals + ``Screen``."""
    title: str
    purpose: str
    """What is decided, in a line."""
    keys: tuple[str, ...]

    def options(self) -> list[OptionInfo]:
        """The options of the step, in the order of ``keys``."""
        known = options()
        found: list[OptionInfo] = []
        for key in self.keys:
            if key.endswith(".*"):
                section = key.removesuffix(".*")
                found += [
                    info
                    for info in known.values()
                    if info.section == section and info.key not in _named()
                ]
            else:
                found.append(known[key])
        return found

    def problems(self, problems: Iterable[Problem]) -> list[Problem]:
        """Those that are this step's to mend."""
        return [problem for problem in problems if step_of(problem.where) is self]


STEPS = (
    Step(
        "dataset",
        "Dataset",
        "The pictures to learn from.",
        (
            "dataset.folder",
            "captions.trigger_words",
            "dataset.regularization_folder",
            "dataset.exclude",
            "dataset.concepts",
        ),
    ),
    Step("captions", "Captions", "The words beside each picture.", ("captions.*",)),
    Step(
        "repeats",
        "Repeats & epochs",
        "How long it trains.",
        (
            "dataset.repeats",
            "training.epochs",
            "training.batch_size",
            "training.gradient_accumulation",
            "training.max_steps",
        ),
    ),
    Step("model", "Model", "What the LoRA is trained on.", ("model.*",)),
    Step(
        "parameters",
        "Parameters",
        "How it learns.",
        (
            "network.*",
            "optimizer.*",
            "loss.*",
            "model.prediction",
            "model.zero_terminal_snr",
            "augmentation.*",
            "validation.*",
            "training.gradient_checkpointing",
            "training.max_grad_norm",
            "training.ema_decay",
            "training.deterministic",
            "training.seed",
            "dataset.resolution",
            "dataset.buckets",
            "dataset.bucket_step",
            "dataset.bucket_min_side",
            "dataset.bucket_max_side",
            "dataset.upscale",
            "dataset.cache_latents",
        ),
    ),
    Step("samples", "Samples", "Pictures drawn on the way.", ("samples.*",)),
    Step("output", "Output", "Where the files go.", ("output.*",)),
    Step("review", "Review", "All of it once more, then the start.", ()),
)


_BEGINNINGS = {"dataset": "dataset", "captions": "captions", "training": "repeats"}
"""Of sections whose options several steps decide."""
_REPEATS = re.compile(r"dataset\.concepts\[\d+\]\.repeats")
"""Asked where all repeats are, though the list is the dataset's."""


@cache
def _named() -> frozenset[str]:
    return frozenset(key for step in STEPS for key in step.keys)


def find(name: str) -> Step:
    """The step called ``name``; the first for a name that no step has."""
    return next((step for step in STEPS if step.name == name), STEPS[0])


def step_of(where: str) -> Step:
    """The step in which the option ``where`` (of a problem) is decided; a problem without one is
    the review's, one of a file the dataset's, and what is said of a whole section is said where
    the section begins."""
    if where.startswith("/"):
        return find("dataset")
    if _REPEATS.fullmatch(where):
        return find("repeats")
    key = where.partition("[")[0]
    if key in _BEGINNINGS:
        return find(_BEGINNINGS[key])
    for step in STEPS:
        names = {info.key for info in step.options()}
        if any(_belongs(key, name) or _belongs(name, key) for name in names if key):
            return step
    section = key.partition(".")[0]
    return find(_BEGINNINGS[section]) if section in _BEGINNINGS else STEPS[-1]


def _belongs(key: str, table: str) -> bool:
    return key == table or key.startswith(f"{table}.")


def after(step: Step, distance: int = 1) -> Step | None:
    """The step that comes ``distance`` later (negative: before); None beyond the ends."""
    at = STEPS.index(step) + distance
    return STEPS[at] if 0 <= at < len(STEPS) else None
