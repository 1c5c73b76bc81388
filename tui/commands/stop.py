"""`lora-wizard stop`: finish the step, save and stop."""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument

    add_run_argument(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--now",
        action="store_true",
        help="by signal: also when it does not answer to a request; saves, once steps are made",
    )
    how.add_argument(
        "--kill",
        action="store_true",
        help="the last resort: what was done since the last saved state is lost",
    )
    parser.add_argument("--wait", action="store_true", help="come back when it has ended")


def run(arguments: argparse.Namespace) -> int:
    """Ask, signal or kill."""
    from ...core.run import control
    from ...core.run.directory import find_run
    from ...core.run.status import summary
    from ...core.text import printable

    directory = find_run(arguments.run)
    name = printable(directory.name)
    if arguments.kill:
        control.kill(directory)
        sys.stdout.write(f"{name}: killed.\n")
    elif arguments.now:
        control.terminate(directory)
        sys.stdout.write(f"{name}: told to end now.\n")
    else:
        control.request(directory, "stop")
        sys.stdout.write(f"{name}: finishes the step, saves and stops.\n")
    sys.stdout.flush()
    if arguments.wait:
        control.wait(directory)
        status = summary(directory)
        sys.stdout.write(f"{name}: {status.state} at step {status.step}.\n")
    return 0
