"""`lora-wizard demo`: the whole way on the model that comes along, by the path of any other run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import EXIT_FAILED
from ...core.text import printable

if TYPE_CHECKING:
    from ...core.config import RunConfig
    from ...core.demo.outcome import Measured
    from ...core.run.directory import RunDirectory

MEASURE = "lora_wizard.core.demo.outcome"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--folder",
        default="lora-wizard-demo",
        metavar="DIR",
        help="where the TOML and the run go (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.epilog = (
        "Takes about two minutes on two CPU cores. Exit status: 0 learned, 1 did not, "
        "or the run's own."
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the TOML, train, measure, show."""
    from .. import follow
    from ..walk.demo import prepare

    demo = prepare(Path(arguments.folder))
    say = sys.stderr if arguments.json else sys.stdout
    say.write(f"{demo.toml}\nis trained as `lora-wizard train` would train it.\n\n")
    say.flush()
    for module in (follow.TRAINING, MEASURE):
        status = follow.start(demo.run, module=module, quiet=arguments.json)
        if status:
            return status
    return _show(demo.run, demo.config, demo.toml, arguments.json)


def _show(directory: RunDirectory, config: RunConfig, toml: Path, as_json: bool) -> int:
    from ...core.dataset.build import build_plan
    from ...core.demo.outcome import Measured
    from ...core.demo.panel import sample_files, step_label, write_panel
    from ...core.families.registry import find
    from ...core.schedule import Schedule

    measured = Measured.read(directory.path)
    schedule = Schedule.of(build_plan(config, find(config.model.family)), config)
    drawn = sample_files(directory.samples_path)
    columns = [(step_label(step, schedule), files) for step, files in drawn.items()]
    panel = directory.path / "demo.png"
    write_panel(panel, columns)
    lora = directory.path / f"{config.output.name}.safetensors"
    if as_json:
        facts = {**asdict(measured), "run": str(directory.path), "lora": str(lora)}
        facts |= {"picture": str(panel), "config": str(toml), "learned": measured.has_learned}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        _print(columns, measured, {"picture": panel, "LoRA": lora, "TOML": toml})
    return 0 if measured.has_learned else EXIT_FAILED


def _print(
    columns: Sequence[tuple[str, Sequence[Path]]], measured: Measured, paths: dict[str, Path]
) -> None:
    from rich.console import Console

    from ..picture import print_pictures
    from ..problems import wrapped

    console = Console(highlight=False)
    console.print()
    print_pictures(console, [(label, files[0]) for label, files in columns])
    console.print()
    for name, path in paths.items():
        console.print(f"{name:<8} {printable(str(path))}", markup=False, soft_wrap=True)
    console.print()
    for line in _in_words(measured):
        console.print(wrapped(line), markup=False)


def _in_words(measured: Measured) -> list[str]:
    """What was measured, as sentences with their numbers."""
    verdict = "It learned." if measured.has_learned else "It did not learn what it should have."
    return [
        f"The creature is in {measured.subject_with:.0%} of {measured.seeds} pictures with the "
        f"LoRA, in {measured.subject_without:.0%} without.",
        f"Of {measured.scenes} other scenes the base model gets {measured.scenes_without:.0%} of "
        f"colours, backgrounds and shapes right; with the LoRA {measured.scenes_with:.0%}.",
        verdict,
    ]
