"""`lora-wizard plan`: what a run will do, to the step, the picture and the caption."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...core.config import RunConfig, configfile
from ...core.dataset.build import build_plan
from ...core.dataset.captions import final_caption
from ...core.dataset.order import windows
from ...core.dataset.plan import DatasetPlan, Draw
from ...core.errors import Problem, ProblemsError, WizardError
from ...core.families import registry
from ...core.rules_of_thumb import RuleOfThumb, explain
from ...core.schedule import BatchCounts, SavePoint, Schedule, solve_epochs, solve_repeats
from ...core.text import printable
from ..tables import print_table

_LISTED = 6
"""So many of a long list are shown at most, besides its last."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the run's TOML")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change an option"
    )
    parser.add_argument(
        "--step", type=int, metavar="N", help="show the pictures, crops and captions of step N"
    )
    parser.add_argument(
        "--target-steps",
        type=int,
        metavar="N",
        help="show the repeats and the epochs that give about N steps",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    try:
        return _run(arguments)
    except ProblemsError as error:
        if not arguments.json:
            raise
        _write_json({"problems": [asdict(problem) for problem in error.problems]})
        return error.exit_code


def _run(arguments: argparse.Namespace) -> int:
    config = configfile.load(arguments.config, arguments.set)
    plan = build_plan(config, registry.find(config.model.family))
    schedule = Schedule.of(plan, config)
    if arguments.step is not None and not 1 <= arguments.step <= schedule.total_steps:
        raise WizardError(
            f"There is no step {arguments.step}",
            f"The run has {schedule.total_steps} steps, counted from 1.",
        )
    if arguments.target_steps is not None and arguments.target_steps < 1:
        raise WizardError("A run has at least one step", f"--target-steps {arguments.target_steps}")
    if arguments.json:
        _write_json(_document(plan, config, schedule, arguments))
    elif arguments.step is not None:
        _show_step(plan, config, schedule, arguments.step)
    else:
        _show(plan, config, schedule, arguments.target_steps)
    return 0


def _show(
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, target_steps: int | None
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
    _show_rules(explain(plan, config))
    if target_steps is not None:
        _show_solutions(plan, config, target_steps)
    _show_problems(plan.problems)


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
    _line("Files", _shortened(saves))
    samples = [str(step) for step in schedule.sample_steps()]
    _line("Samples", f"after step {_shortened(samples)}" if samples else "none")
    sys.stdout.write("\n")


def _show_rules(rules: list[RuleOfThumb]) -> None:
    columns = ("guide", "formula", "gives", "exact")
    print_table("Rules of thumb", columns, [_rule_row(rule) for rule in rules])
    for rule in rules:
        sys.stdout.write(f"  {rule.source} differs: {printable(rule.difference_reason)}.\n")
    sys.stdout.write("\n")


def _show_solutions(plan: DatasetPlan, config: RunConfig, target: int) -> None:
    epochs = solve_epochs(target, plan, config)
    repeats = solve_repeats(target, plan, config)
    names = [item.name for item in plan.concepts if not item.is_regularization]
    each = ", ".join(f"{name} {count}" for name, count in zip(names, repeats.repeats, strict=True))
    _line(f"For {target} steps", f"training.epochs = {epochs.epochs} gives {epochs.steps}")
    _line("", f"repeats {each} give {repeats.steps} in {config.training.epochs} epochs")
    sys.stdout.write("\n")


def _show_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        text = f"{problem.severity}: {problem.where}: {problem.message}"
        sys.stdout.write(printable(text) + "\n")
        for line in problem.remedy.splitlines():
            sys.stdout.write(f"    {printable(line)}\n")


def _show_step(plan: DatasetPlan, config: RunConfig, schedule: Schedule, step: int) -> None:
    epoch, index = schedule.position(step)
    window = windows(plan, config, epoch)[index]
    last = schedule.steps_of_epochs[epoch - 1]
    _line("Step", f"{step} of {schedule.total_steps}: {index + 1} of {last} in epoch {epoch}")
    for number, batch in enumerate(window, start=1):
        print_table(
            f"Batch {number} of {len(window)}: {batch[0].sample.bucket}",
            ("picture", "size", "scaled to", "cut at", "use", "caption"),
            [_draw_row(draw, config) for draw in batch],
        )


def _draw_row(draw: Draw, config: RunConfig) -> tuple[object, ...]:
    sample, crop = draw.sample, draw.sample.crop
    return (
        sample.path,
        f"{sample.width}x{sample.height}",
        f"{crop.scaled_width}x{crop.scaled_height}",
        f"{crop.left},{crop.top}",
        draw.repeat + 1,
        final_caption(draw, config),
    )


def _rule_row(rule: RuleOfThumb) -> tuple[str, ...]:
    value = f"{rule.value:,.4g}" if rule.value < 1000 else f"{rule.value:,.0f}"
    to = f" to {rule.upper:,.0f}" if rule.upper is not None else ""
    exact = f"{rule.exact:,.4g}" if rule.exact < 1000 else f"{rule.exact:,.0f}"
    return rule.source, rule.formula, f"{value}{to} {rule.unit}", exact


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
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, arguments: argparse.Namespace
) -> dict[str, Any]:
    document: dict[str, Any] = {
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
        "rules_of_thumb": [asdict(rule) for rule in explain(plan, config)],
        "problems": [asdict(problem) for problem in plan.problems],
    }
    if arguments.target_steps is not None:
        epochs = solve_epochs(arguments.target_steps, plan, config)
        repeats = solve_repeats(arguments.target_steps, plan, config)
        document["solutions"] = {
            "target_steps": arguments.target_steps,
            "epochs": asdict(epochs),
            "repeats": {"repeats": list(repeats.repeats), "steps": repeats.steps},
        }
    if arguments.step is not None:
        document["step"] = _step_document(plan, config, schedule, arguments.step)
    return document


def _step_document(
    plan: DatasetPlan, config: RunConfig, schedule: Schedule, step: int
) -> dict[str, Any]:
    epoch, index = schedule.position(step)
    window = windows(plan, config, epoch)[index]
    return {
        "step": step,
        "epoch": epoch,
        "window": index,
        "micro_batches": [[_draw_document(draw, config) for draw in batch] for batch in window],
    }


def _draw_document(draw: Draw, config: RunConfig) -> dict[str, Any]:
    sample = draw.sample
    return {
        "id": sample.id,
        "path": str(sample.path),
        "repeat": draw.repeat,
        "is_regularization": sample.is_regularization,
        "width": sample.width,
        "height": sample.height,
        "bucket": asdict(sample.bucket),
        "crop": asdict(sample.crop),
        "caption": final_caption(draw, config),
    }


def _file_name(config: RunConfig, point: SavePoint) -> str:
    return f"{config.output.name}{point.suffix}.safetensors"


def _shortened(items: list[str]) -> str:
    if len(items) <= _LISTED + 1:
        return ", ".join(items)
    return f"{', '.join(items[:_LISTED])} ... {items[-1]} ({len(items)} in all)"


def _line(name: str, value: str) -> None:
    sys.stdout.write(f"{name:<16}{printable(value)}\n")


def _write_json(document: dict[str, Any]) -> None:
    # Escaped to ASCII: file names need not be valid UTF-8.
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
