"""`lora-wizard results`: what a run has made, which of it is the best, and where to take it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.run.directory import RunDirectory
    from ...core.run.outcome import RunOutcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument, whole_number

    add_run_argument(parser)
    best = parser.add_mutually_exclusive_group()
    best.add_argument("--best-epoch", type=whole_number, metavar="N", help="note epoch N as best")
    best.add_argument("--best", metavar="FILE", help="note one of the run's files as the best")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.epilog = (
        "The best file takes the place of the copy in output.publish_to, where that is set."
    )


def run(arguments: argparse.Namespace) -> int:
    """Note the choice, then list the files."""
    from ...core.run.choice import choose
    from ...core.run.directory import find_run
    from ...core.run.outcome import RunOutcome

    directory = find_run(arguments.run)
    file = arguments.best
    if arguments.best_epoch is not None:
        file = _file_of(RunOutcome.of(directory), arguments.best_epoch)
    if file:
        choose(directory, Path(file).name)
    outcome = RunOutcome.of(directory)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(directory, outcome), indent=2) + "\n")
    else:
        tell(directory, outcome)
    return 0


def _file_of(outcome: RunOutcome, epoch: int) -> str:
    from ...core.errors import WizardError

    found = {item.epoch: item.file for item in outcome.versions if item.file and item.epoch}
    if epoch not in found:
        known = ", ".join(map(str, sorted(key for key in found if key))) or "none"
        raise WizardError(f"There is no file of epoch {epoch}", "", f"There are: {known}.")
    return found[epoch]


def tell(directory: RunDirectory, outcome: RunOutcome) -> None:
    """Print it for people."""
    from ...core.places import size_text
    from ...core.text import printable
    from ..problems import wrapped
    from ..tables import print_table
    from ..walk import learned
    from ..walk.using import facts, in_other_programs, standing

    rows = [
        (item.label, item.file, size_text(item.bytes), standing(outcome, item))
        for item in outcome.versions
        if item.file
    ]
    if not rows:
        sys.stdout.write("No file has been saved yet.\n")
        return
    if said := learned.sentences(directory):
        sys.stdout.write(f"{wrapped(printable(said))}\n\n")
    print_table("", ("after", "file", "size", ""), rows)
    sys.stdout.write("\n")
    if outcome.best:
        for name, value in facts(directory, outcome, outcome.best):
            sys.stdout.write(f"{name:<10}{printable(value)}\n")
    sys.stdout.write(f"\n{printable(in_other_programs(outcome), keep_newlines=True)}\n")


def _document(directory: RunDirectory, outcome: RunOutcome) -> dict[str, object]:
    from ...core.run.measure import measurement

    measured = measurement(directory)
    return {
        "run": str(directory.path),
        "chosen": outcome.chosen,
        "published": list(outcome.published),
        "measured": asdict(measured) if measured else None,
        "versions": [
            {**asdict(item), "pictures": [str(path) if path else None for path in item.pictures]}
            for item in outcome.versions
        ],
    }
