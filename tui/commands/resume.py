"""`lora-wizard resume`: go on with a run that was paused, stopped or killed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.run.directory import RunDirectory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument, add_start_arguments

    add_run_argument(parser)
    add_start_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Wake a job that rests; else start one in the run's directory again, which goes on from its
    last state."""
    from ...core.errors import WizardError
    from ...core.run import control
    from ...core.run.directory import TRAIN, find_run
    from ...core.run.limits import Limits
    from ...core.text import printable
    from ..arguments import limits_of
    from ..follow import go_on, start

    limits = limits_of(arguments)
    directory = find_run(arguments.run)
    if directory.record().what != TRAIN:
        again = directory.again()
        raise WizardError("This is no training run", str(directory.path), f"Go on with it: {again}")
    if control.is_paused(directory):
        if limits != Limits():
            sys.stderr.write(
                "note: this run rests, and keeps the limits that it was started with. For others: "
                "`lora-wizard stop`, then resume.\n"
            )
        return go_on(directory, as_json=arguments.json, detach=arguments.detach)
    if not directory.is_live() and directory.record().outcome == "finished":
        out = sys.stderr if arguments.json else sys.stdout
        out.write(printable(f"{directory.path} has finished; there is nothing to resume.") + "\n")
        return 0
    if not arguments.json and not directory.is_live():
        sys.stdout.write(f"{_where_it_was_left(directory)}\n")
        sys.stdout.flush()
    return start(directory, as_json=arguments.json, detach=arguments.detach, limits=limits)


def _where_it_was_left(directory: RunDirectory) -> str:
    """Where it goes on, only the job knows, when it has found the state whole."""
    from ...core.run.status import summary
    from ...core.text import printable

    status = summary(directory)
    of_all = f" of {status.total}" if status.total else ""
    where = f"at step {status.step}{of_all}" if status.step else "before its first step"
    return printable(f"{directory.name} was left {where}.")
