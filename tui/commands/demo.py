"""`lora-wizard demo`: the whole way on the model that comes along, by the path of any other run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TextIO

from ...core.errors import EXIT_FAILED
from ...core.run.measure import MeasureError, Measurement, measurement
from ...core.text import printable
from ..walk import learned

if TYPE_CHECKING:
    from ...core.config import RunConfig
    from ...core.run.directory import RunDirectory


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
    status = follow.start(demo.run, quiet=arguments.json)
    if status:
        return status
    measured = _measured(demo.run, say)
    return _show(demo.run, demo.config, demo.toml, measured, arguments.json)


def _measured(run: RunDirectory, say: TextIO) -> Measurement:
    """Wait for what it learned. Raises WizardError when that cannot be measured."""
    for said in learned.follow(run, Event()):
        if said == learned.UNDER_WAY:
            say.write(f"{said}\n")
            say.flush()
    if found := measurement(run):
        return found
    remedy = f"Why is at the end of {run.log_path}."
    raise MeasureError("What it learned could not be measured", "", remedy)


def _show(
    directory: RunDirectory, config: RunConfig, toml: Path, measured: Measurement, as_json: bool
) -> int:
    from ...core.dataset.build import build_plan
    from ...core.demo.panel import sample_files, step_label, write_panel
    from ...core.families.registry import find
    from ...core.schedule import Schedule

    schedule = Schedule.of(build_plan(config, find(config.model.family)), config)
    drawn = sample_files(directory.samples_path)
    columns = [(step_label(step, schedule), files) for step, files in drawn.items()]
    panel = directory.path / "demo.png"
    write_panel(panel, columns)
    lora = directory.path / f"{config.output.name}.safetensors"
    if as_json:
        facts = {**measured.figures, "run": str(directory.path), "lora": str(lora)}
        facts |= {"picture": str(panel), "config": str(toml), "learned": measured.learned}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        _print(columns, measured, {"picture": panel, "LoRA": lora, "TOML": toml})
    return 0 if measured.learned else EXIT_FAILED


def _print(
    columns: Sequence[tuple[str, Sequence[Path]]], measured: Measurement, paths: dict[str, Path]
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
    for line in measured.words:
        console.print(wrapped(printable(line)), markup=False)
