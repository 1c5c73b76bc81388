"""Arguments that several commands have, the same in each."""

from __future__ import annotations

import argparse
from pathlib import Path

RUN_STATUSES = (
    "Exit status: 0 finished, 1 failed, 2 something to mend first, 75 stopped and saved, 130 no "
    "longer watching."
)


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Add an optional RUN: a path, a name, or the run that was started last."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the run's folder or name; the one started last if absent",
    )


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add CONFIG and what changes it."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the TOML of the run")
    add_set_argument(parser)


def add_set_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value, such as --set training.epochs=4; may be repeated",
    )


def add_start_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a command that starts a job and follows it can be told."""
    parser.add_argument("--detach", action="store_true", help="start it and come back at once")
    parser.add_argument(
        "--json", action="store_true", help="for programs: the run's folder, then its events"
    )
    parser.epilog = f"Ctrl-C stops watching, not the run. {RUN_STATUSES}"


def whole_number(text: str) -> int:
    """The type of an argument that counts; argparse shows the message."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}")
    return number
