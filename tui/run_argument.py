"""The argument RUN, the same for every command that has it."""

from __future__ import annotations

import argparse


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Add an optional RUN: a path, a name, or the run that was started last."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the run's folder or name; the one started last if absent",
    )
