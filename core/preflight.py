"""Everything that can be known of a run before a GPU is used for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .cache_room import allowed_bytes
from .config import RunConfig, rules
from .config.config_problems import options
from .config.configfile import flat
from .dataset.build import build_plan, verify_plan
from .dataset.caption_review import review_captions
from .dataset.images import Progress
from .dataset.plan import DatasetPlan
from .dataset.validation import trained_too, validation_plan
from .errors import Problem, ProblemsError, WizardError
from .estimates.sizes import cache_bytes, file_bytes, run_bytes
from .families import registry as families
from .families.base import FamilySpec
from .networks import registry as networks
from .optimizers import registry as optimizers
from .optimizers import settings
from .places import cache_folder, existing, free_bytes, size_text
from .preflight_base import BaseFindings, inspect_base
from .preflight_captions import set_problems
from .preflight_gpu import gpu_problems
from .preflight_lora import look_at_lora
from .preflight_machine import clock_problems, file_count_problems
from .preflight_pictures import picture_problems
from .rehearsal import measured, words
from .sampling.prompts import expand
from .sampling.samplers import SAMPLERS
from .schedule import Schedule

MOST_STEPS = 1_000_000
"""Of a run: years on any GPU."""
_GRAVITY = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Inspection:
    """What is known of a run before it begins. None where something graver is in the way."""

    problems: list[Problem]
    """The gravest first."""
    spec: FamilySpec | None = None
    base: BaseFindings | None = None
    plan: DatasetPlan | None = None
    schedule: Schedule | None = None
    bytes_written: int | None = None
    """By the whole run, at most, roughly."""
    file_bytes: int | None = None
    """Of one LoRA file."""


def check(
    config: RunConfig, *, decode: bool = False, progress: Progress | None = None
) -> list[Problem]:
    """All that is wrong with a run, or worth knowing; see `inspect`."""
    return inspect(config, decode=decode, progress=progress).problems


def inspect(
    config: RunConfig,
    *,
    decode: bool = False,
    look: bool = False,
    progress: Progress | None = None,
    base: BaseFindings | None = None,
) -> Inspection:
    """All that can be known of a run, the gravest problem first. ``config`` is as
    `configfile.load` returns it.

    Reads headers of pictures and weights, never the weights themselves; downloads nothing. With
    ``decode``, each picture is decoded too, which takes a while the first time; with ``look`` it is
    also measured for blur, copies and the like, where that is not remembered. ``base`` is what
    `inspect_base` found for the same model, to not ask the hub again.
    """
    problems = _of_options_and_machine(config)
    try:
        spec = families.find(config.model.family)
    except WizardError as error:
        problems.append(Problem(error.title, "model.family", remedy=error.remedy))
        return Inspection(by_gravity(problems))
    problems += _does_not_apply(config, spec)
    problems += _sample_prompts(config, spec)
    base = base or inspect_base(config, spec)
    problems += base.problems
    continued = look_at_lora(config, spec, base)
    problems += continued.problems
    base = replace(base, lora_ranks=continued.ranks)
    problems += gpu_problems(config, spec, base)
    plan, found = _dataset(config, spec, progress)
    problems += found
    if plan is not None:
        problems += review_captions(plan, config, spec, base.vocabulary)
        problems += set_problems(plan, config)
    # What is wrong with the dataset's options is wrong for these pictures, too.
    said = {problem.message for problem in found}
    validated = _validation(config, spec, plan, decode)
    problems += [problem for problem in validated if problem.message not in said]
    if plan is not None and decode:
        problems += _broken_pictures(plan, config, progress)
    if plan is not None:
        problems += picture_problems(plan, config, look=look, decoded=decode, progress=progress)
    schedule, written = None, None
    if plan is not None:
        schedule = Schedule.of(plan, config)
        problems += _steps(schedule)
        if schedule.total_steps > MOST_STEPS:
            # Its files and pictures are not worth counting one by one.
            return Inspection(by_gravity(problems), spec, base, plan)
        written = run_bytes(config, spec, schedule, base)
        problems += _disk(config, written, cache_bytes(config, spec, plan))
        problems += file_count_problems(Path(config.output.folder), plan, schedule)
    size = file_bytes(config, spec, base) if base.lora_values_per_rank else None
    return Inspection(by_gravity(problems), spec, base, plan, schedule, written, size)


def _of_options_and_machine(config: RunConfig) -> list[Problem]:
    problems = [finding.problem for finding in rules.findings(config)]
    problems += _names(config)
    problems += _writable(Path(config.output.folder), "output.folder")
    problems += _cache()
    problems += _rehearsed(config)
    problems += clock_problems()
    if config.output.publish_to:
        problems += _publishing(Path(config.output.publish_to))
    return problems


def by_gravity(problems: list[Problem]) -> list[Problem]:
    """Errors, then warnings, then notes; each said once."""
    return sorted(dict.fromkeys(problems), key=lambda problem: _GRAVITY[problem.severity])


def _names(config: RunConfig) -> Iterator[Problem]:
    registries: list[tuple[str, Callable[[str], object], str]] = [
        ("network.type", networks.find, config.network.type),
        ("optimizer.name", optimizers.find, config.optimizer.name),
    ]
    for key, find, name in registries:
        try:
            find(name)
        except WizardError as error:
            yield Problem(error.title, key, remedy=error.remedy)
    spec = settings.known(config.optimizer.name)
    if spec and (problem := settings.missing_package(spec)):
        yield problem


def _does_not_apply(config: RunConfig, spec: FamilySpec) -> Iterator[Problem]:
    values = flat(config)
    for key in sorted(spec.options_that_do_not_apply):
        if key in values and values[key] != options()[key].default:
            yield Problem(f"means nothing for {spec.title}", key, remedy="Leave it out.")
    # A name that no family knows is reported with the prompts.
    name = config.samples.sampler
    if spec.samplers and name in SAMPLERS and name not in spec.samplers:
        known = ", ".join(spec.samplers)
        message = f'"{name}" does not draw with {spec.title}'
        yield Problem(message, "samples.sampler", remedy=f"There are: {known}.")


def _sample_prompts(config: RunConfig, spec: FamilySpec) -> list[Problem]:
    side = config.dataset.resolution or spec.native_resolution
    width, height = (side, side) if isinstance(side, int) else side
    try:
        expand(config, (width, height))
    except ProblemsError as error:
        return error.problems
    return []


def _dataset(
    config: RunConfig, spec: FamilySpec, progress: Progress | None
) -> tuple[DatasetPlan | None, list[Problem]]:
    try:
        plan = build_plan(config, spec, progress=progress)
    except ProblemsError as error:
        return None, error.problems
    except WizardError as error:
        return None, [Problem(f"{error.title}: {error.message}", "dataset", remedy=error.remedy)]
    return plan, list(plan.problems)


def _validation(
    config: RunConfig, spec: FamilySpec, plan: DatasetPlan | None, decode: bool
) -> Iterator[Problem]:
    key = "validation.folder"
    try:
        validated = validation_plan(config, spec)
        if validated and decode:
            verify_plan(validated)
    except ProblemsError as error:
        yield from error.problems
        return
    except WizardError as error:
        yield Problem(f"{error.title}: {error.message}", key, remedy=error.remedy)
        return
    if validated and plan and (names := trained_too(validated, plan)):
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield Problem(
            f"{shown}: trained on, too, so their loss says nothing new",
            key,
            remedy="Validation pictures are others than the dataset's.",
            severity="warning",
        )


def _broken_pictures(
    plan: DatasetPlan, config: RunConfig, progress: Progress | None
) -> list[Problem]:
    try:
        verify_plan(plan, exclude=config.dataset.exclude, progress=progress)
    except ProblemsError as error:
        return error.problems
    return []


def _steps(schedule: Schedule) -> Iterator[Problem]:
    if schedule.total_steps > MOST_STEPS:
        yield Problem(
            f"the run would have {schedule.total_steps:,} steps, which no machine comes to the end "
            "of",
            "training.epochs",
            remedy="A LoRA takes a few thousand: fewer epochs or repeats, or training.max_steps.",
        )
    if schedule.warmup_steps >= schedule.total_steps:
        yield Problem(
            f"takes {schedule.warmup_steps} steps, and the run has {schedule.total_steps}",
            "optimizer.warmup",
            remedy="The full learning rate would never be reached: shorten it.",
        )


def _rehearsed(config: RunConfig) -> list[Problem]:
    known = measured.of(config)
    return words.problems(known, config) if known else []


def _publishing(folder: Path) -> Iterator[Problem]:
    yield from _writable(folder, "output.publish_to")
    if not folder.exists():
        yield Problem(
            f"{folder} is not there: it will be made when the file is finished",
            "output.publish_to",
            remedy="Check that it is the folder that you mean.",
            severity="warning",
        )


def _cache() -> Iterator[Problem]:
    remedy = "Encoded pictures are kept there: set XDG_CACHE_HOME to a folder that can be written."
    try:
        folder = cache_folder()
        allowed_bytes()
    except WizardError as error:
        yield Problem(f"{error.title}: {error.message}", remedy=error.remedy)
    else:
        for problem in _writable(folder, str(folder)):
            yield replace(problem, remedy=remedy)


def _writable(folder: Path, key: str) -> Iterator[Problem]:
    there = existing(folder)
    if not there.is_dir():
        why, remedy = f"{there} is a file", "Choose another folder."
    elif not os.access(there, os.W_OK | os.X_OK):
        why, remedy = f"{there} cannot be written", "Choose another, or change its permissions."
    else:
        return
    yield Problem(why, key, remedy=remedy)


def _disk(config: RunConfig, run: int, cache: int) -> Iterator[Problem]:
    """``run`` and ``cache``: the bytes that the run writes into its folder and into the cache."""
    folder = existing(Path(config.output.folder))
    try:
        cached_at = existing(cache_folder())
    except WizardError:
        # Said elsewhere.
        cached_at, cache = folder, 0
    if cached_at.stat().st_dev == folder.stat().st_dev:
        run, cache = run + cache, 0
    remedy = "Free some space, choose another disk, or keep fewer files (output.keep_last)."
    yield from _too_full(folder, run, "output.folder", remedy)
    remedy = "Free some space (`lora-wizard cache`), or set XDG_CACHE_HOME to another disk."
    yield from _too_full(cached_at, cache, str(cached_at), remedy)


def _too_full(folder: Path, needed: int, where: str, remedy: str) -> Iterator[Problem]:
    free = free_bytes(folder)
    if free is not None and needed > free:
        message = (
            f"the run writes about {size_text(needed)}, and {folder} has {size_text(free)} left"
        )
        yield Problem(message, where, remedy=remedy)
