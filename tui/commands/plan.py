"""`lora-wizard plan`: what a run will do, to the step, the picture and the caption."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from ...core.config import RunConfig, configfile
from ...core.config.sources import in_names
from ...core.dataset.build import build_plan
from ...core.dataset.caption_review import review_captions
from ...core.dataset.plan import DatasetPlan
from ...core.errors import ProblemsError, WizardError
from ...core.estimates import Estimate, estimate_here
from ...core.families import registry
from ...core.preflight_base import BaseFindings, inspect_base
from ...core.rules_of_thumb import RuleOfThumb, explain
from ...core.schedule import BatchCounts, SavePoint, Schedule
from ...core.solving import solve_epochs, solve_repeats
from ...core.text import printable
from ..arguments import add_config_arguments, whole_number
from ..draws import epoch_document, show_steps, step_document, steps_of_epoch
from ..predictions import add_price_argument, document, show
from ..problems import problems_of, problems_text, wrapped
from ..tables import print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "--step",
        type=whole_number,
        metavar="N",
        help="show the pictures, crops and captions of step N",
    )
    parser.add_argument(
        "--epoch",
        type=whole_number,
        metavar="N",
        help="show the same of all steps of epoch N",
    )
    parser.add_argument(
        "--target-steps",
        type=whole_number,
        metavar="N",
        help="show the repeats and the epochs that give about N steps",
    )
    add_price_argument(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = "Starts and writes nothing. Exit status: 0 planned, 2 something to mend first."


def run(arguments: argparse.Namespace) -> int:
    try:
        return _run(arguments)
    except WizardError as error:
        if not arguments.json:
            raise
        _write_json({"problems": [asdict(problem) for problem in problems_of(error)]})
        return error.exit_code


def _run(arguments: argparse.Namespace) -> int:
    config = configfile.load(arguments.config, arguments.set)
    spec = registry.find(config.model.family)
    base = inspect_base(config, spec, online=False)
    plan = _planned(config, base, arguments)
    schedule = Schedule.of(plan, config)
    _check(arguments, schedule)
    if not arguments.json and (arguments.step is not None or arguments.epoch is not None):
        show_steps(plan, config, schedule, _steps(arguments, schedule))
        return 0
    estimate = estimate_here(config, spec, plan=plan, schedule=schedule, base=base)
    if arguments.json:
        _write_json(_document(plan, config, schedule, estimate, arguments))
    else:
        _show(plan, config, schedule, estimate, arguments)
    return 0


def _check(arguments: argparse.Namespace, schedule: Schedule) -> None:
    for name, last in (("step", schedule.total_steps), ("epoch", schedule.epochs)):
        asked = getattr(arguments, name)
        if asked is not None and not 1 <= asked <= last:
            counted = f"The run has {last} {name}{'' if last == 1 else 's'}, counted from 1."
            raise WizardError(f"There is no {name} {asked}", counted)
    if arguments.target_steps is not None and arguments.target_steps < 1:
        raise WizardError("A run has at least one step", f"--target-steps {arguments.target_steps}")


def _steps(arguments: argparse.Namespace, schedule: Schedule) -> Iterable[int]:
    if arguments.step is not None:
        return [arguments.step]
    return steps_of_epoch(schedule, arguments.epoch)


def _planned(config: RunConfig, base: BaseFindings, arguments: argparse.Namespace) -> DatasetPlan:
    """The plan, its problems with the lines of the TOML."""
    spec = registry.find(config.model.family)
    try:
        plan = build_plan(config, spec)
    except ProblemsError as error:
        found = configfile.with_lines(error.problems, arguments.config, arguments.set)
        raise ProblemsError(error.title, found, error.remedy) from error
    told = [*plan.problems, *review_captions(plan, config, spec, base.vocabulary)]
    found = configfile.with_lines(told, arguments.config, arguments.set)
    return replace(plan, problems=tuple(found))


def _show(
    plan: DatasetPlan,
    config: RunConfig,
    schedule: Schedule,
    estimate: Estimate,
    arguments: argparse.Namespace,
) -> None:
    print_table(
        "Concepts",
        ("name", "folder", "pictures", "captions", "repeats", "share"),
        [
            (
                item.name,
                item.folder,
                item.images,
                item.captions,
                item.repeats,
                "regularization" if item.is_regularization else f"{item.share:.0%}",
            )
            for item in plan.concepts
        ],
    )
    print_table(
        "Buckets",
        ("size", "pictures", "uses an epoch", "batches an epoch"),
        [
            (f"{row['width']}x{row['height']}", row["pictures"], row["uses"], row["batches"])
            for row in _buckets(plan, config)
        ],
    )
    _show_schedule(config, schedule)
    show(estimate, arguments.price)
    _show_rules(explain(plan, config))
    if arguments.target_steps is not None:
        _show_solutions(plan, config, arguments.target_steps)
    sys.stdout.write(problems_text(plan.problems))


def _show_schedule(config: RunConfig, schedule: Schedule) -> None:
    per_epoch = sorted(set(schedule.steps_of_epochs))
    each = " or ".join(str(steps) for steps in per_epoch[:3])
    if len(per_epoch) > 3:
        each = f"{per_epoch[0]} to {per_epoch[-1]}"
    capped = sum(schedule.steps_of_epochs) > schedule.total_steps
    _line("Steps", f"{schedule.total_steps}{' (training.max_steps)' if capped else ''}")
    _line("Epochs", f"{schedule.epochs} of {each} steps")
    if schedule.warmup_steps:
        _line("Warmup", f"{schedule.warmup_steps} steps")
    saves = [f"{_file_name(config, point)} (step {point.step})" for point in schedule.save_steps()]
    _line("Files", _shortened(saves, 2))
    samples = [str(step) for step in schedule.sample_steps()]
    _line("Samples", f"after step {_shortened(samples)}" if samples else "none")
    sys.stdout.write("\n")


def _show_rules(rules: list[RuleOfThumb]) -> None:
    columns = ("guide", "formula", "gives", "exact")
    print_table("Rules of thumb", columns, [_rule_row(rule) for rule in rules])
    for rule in rules:
        if rule.difference_reason:
            reason = f"  {in_names(rule.source)}: {printable(rule.difference_reason)}."
            sys.stdout.write(wrapped(reason, " " * 6, "") + "\n")
    sys.stdout.write("\n")


def _show_solutions(plan: DatasetPlan, config: RunConfig, target: int) -> None:
    epochs = solve_epochs(target, plan, config)
    repeats = solve_repeats(target, plan, config)
    names = [item.name for item in plan.concepts if not item.is_regularization]
    each = ", ".join(f"{name} {count}" for name, count in zip(names, repeats.repeats, strict=True))
    _line(f"For {target} steps", f"training.epochs = {epochs.epochs} gives {epochs.steps}")
    _line("", f"repeats {each} give {repeats.steps} in {config.training.epochs} epochs")
    sys.stdout.write("\n")


def _rule_row(rule: RuleOfThumb) -> tuple[str, ...]:
    value = f"{rule.value:,.4g}" if rule.value < 1000 else f"{rule.value:,.0f}"
    to = f" to {rule.upper:,.0f}" if rule.upper is not None else ""
    exact = f"{rule.exact:,.4g}" if rule.exact < 1000 else f"{rule.exact:,.0f}"
    return in_names(rule.source), rule.formula, f"{value}{to} {rule.unit}", exact


def _buckets(plan: DatasetPlan, config: RunConfig) -> list[dict[str, int]]:
    """Per bucket, in order: pictures, and their uses and batches in the first epoch."""
    pictures = Counter(sample.bucket for sample in plan.samples)
    uses = BatchCounts.of(plan, config).uses(1)
    return [
        {
            "width": bucket.width,
            "height": bucket.height,
            "pictures": pictures[bucket],
            "uses": uses[bucket],
            "batches": -(-uses[bucket] // config.training.batch_size),
        }
        for bucket in sorted(pictures)
    ]


def _document(
    plan: DatasetPlan,
    config: RunConfig,
    schedule: Schedule,
    estimate: Estimate,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "concepts": [{**asdict(item), "folder": str(item.folder)} for item in plan.concepts],
        "buckets": _buckets(plan, config),
        "steps_of_epochs": list(schedule.steps_of_epochs),
        "total_steps": schedule.total_steps,
        "warmup_steps": schedule.warmup_steps,
        "saves": [
            {"step": point.step, "epoch": point.epoch, "file": _file_name(config, point)}
            for point in schedule.save_steps()
        ],
        "samples": list(schedule.sample_steps()),
        "estimate": document(estimate, arguments.price),
        "rules_of_thumb": [asdict(rule) for rule in explain(plan, config)],
        "problems": [asdict(problem) for problem in plan.problems],
    }
    if arguments.target_steps is not None:
        epochs = solve_epochs(arguments.target_steps, plan, config)
        repeats = solve_repeats(arguments.target_steps, plan, config)
        found["solutions"] = {
            "target_steps": arguments.target_steps,
            "epochs": asdict(epochs),
            "repeats": {"repeats": list(repeats.repeats), "steps": repeats.steps},
        }
    if arguments.step is not None:
        found["step"] = step_document(plan, config, schedule, arguments.step)
    if arguments.epoch is not None:
        found["epoch"] = epoch_document(plan, config, schedule, arguments.epoch)
    return found


def _file_name(config: RunConfig, point: SavePoint) -> str:
    return f"{config.output.name}{point.suffix}.safetensors"


def _shortened(items: list[str], listed: int = 6) -> str:
    """At most ``listed`` of a long list, and its last."""
    if len(items) <= listed + 1:
        return ", ".join(items)
    return f"{', '.join(items[:listed])} ... {items[-1]} ({len(items)} in all)"


def _line(name: str, value: str) -> None:
    sys.stdout.write(wrapped(printable(value), " " * 16, f"{name:<16}") + "\n")


def _write_json(document: dict[str, Any]) -> None:
    # Escaped to ASCII: file names need not be valid UTF-8.
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
