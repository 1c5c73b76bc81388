"""Arguments that several commands have, the same in each."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.run.limits import Limits

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
    group = parser.add_argument_group(
        "limits", "The run saves and stops in time, and `lora-wizard resume` goes on with it."
    )
    group.add_argument("--until", default="", metavar="TIME", help="such as 18:30")
    group.add_argument("--max-time", default="", metavar="TIME", help="such as 2h30m, or 90min")
    group.add_argument(
        "--max-cost", default="", metavar="COST", help="of this start, at --price an hour"
    )
    group.add_argument("--price", default="", metavar="PRICE", help="of an hour, such as 0.79")
    group.add_argument(
        "--then",
        default="",
        metavar="COMMAND",
        help="a shell command for when the run has finished, failed or reached its limit; it finds "
        "LORA_WIZARD_RUN, LORA_WIZARD_OUTCOME and LORA_WIZARD_FILE in its environment",
    )
    parser.epilog = f"Ctrl-C stops watching, not the run. {RUN_STATUSES}"


def limits_of(arguments: argparse.Namespace) -> Limits:
    """The limits that `add_start_arguments` took. Raises LimitError."""
    from ..core.run.asked_limits import limits

    return limits(
        until=arguments.until,
        max_time=arguments.max_time,
        max_cost=arguments.max_cost,
        price=arguments.price,
        then=arguments.then,
    )


def whole_number(text: str) -> int:
    """The type of an argument that counts; argparse shows the message."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}")
    return number


def size_argument(text: str) -> list[int]:
    """The type of an argument that is a size in pixels: ``512`` or ``768x1024``."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise argparse.ArgumentTypeError(f"must be a size such as 512 or 768x1024, not {text!r}")
    numbers = [int(side) for side in sides]
    if not all(8 <= side <= 8192 for side in numbers):
        raise argparse.ArgumentTypeError(f"must be from 8 to 8192 pixels, not {text!r}")
    return numbers * 2 if len(numbers) == 1 else numbers
