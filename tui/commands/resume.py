"""`lora-wizard resume`: go on with a run that was paused, stopped or killed."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument, add_start_arguments

    add_run_argument(parser)
    add_start_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Wake a job that rests; else start one in the run's directory again, which goes on from its
    last state."""
    from ...core.run import control
    from ...core.run.directory import find_run
    from ...core.text import printable
    from ..follow import go_on, start

    directory = find_run(arguments.run)
    if control.is_paused(directory):
        return go_on(directory, as_json=arguments.json, detach=arguments.detach)
    if not directory.is_live() and directory.record().outcome == "finished":
        out = sys.stderr if arguments.json else sys.stdout
        out.write(printable(f"{directory.path} has finished; there is nothing to resume.") + "\n")
        return 0
    return start(directory, as_json=arguments.json, detach=arguments.detach)
