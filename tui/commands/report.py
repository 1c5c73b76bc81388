"""`lora-wizard report`: a run on one page."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument

    add_run_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write report.html into the run's directory, and say where it is."""
    from ...core.report import write_report
    from ...core.run.directory import find_run
    from ...core.text import printable

    sys.stdout.write(printable(str(write_report(find_run(arguments.run)))) + "\n")
    return 0
