"""`lora-wizard resume`: go on with a run that was stopped or killed."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument, add_start_arguments

    add_run_argument(parser)
    add_start_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start a job in the run's directory again; it goes on from its last state."""
    from ...core.run.directory import find_run
    from ...core.text import printable
    from ..follow import start

    directory = find_run(arguments.run)
    if not directory.is_live() and directory.record().outcome == "finished":
        out = sys.stderr if arguments.json else sys.stdout
        out.write(printable(f"{directory.path} has finished; there is nothing to resume.") + "\n")
        return 0
    return start(directory, as_json=arguments.json, detach=arguments.detach)
