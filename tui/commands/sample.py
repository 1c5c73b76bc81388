"""`lora-wizard sample`: draw the sample prompts now."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..run_argument import add_run_argument

    add_run_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Leave the request; the job obeys it at the end of its step."""
    from ...core.run import control
    from ...core.run.directory import find_run
    from ...core.text import printable

    directory = find_run(arguments.run)
    control.request(directory, "sample")
    sys.stdout.write(f"{printable(directory.name)}: draws its sample prompts after this step.\n")
    return 0
