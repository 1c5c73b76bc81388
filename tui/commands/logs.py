"""`lora-wizard logs`: show a run's log."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ...core.errors import WizardError
from ..log_file import last_lines_offset, shown

_POLL = 0.25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument, whole_number

    add_run_argument(parser)
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the run ends; Ctrl-C leaves it"
    )
    parser.add_argument(
        "-n", "--lines", type=whole_number, default=50, metavar="N", help="how many lines (50)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the end of trainer.log, what could command the terminal escaped."""
    from ...core.run.directory import find_run

    directory = find_run(arguments.run)
    offset = last_lines_offset(directory.log_path, arguments.lines)
    while True:
        live = arguments.follow and directory.is_live()
        offset = _print_from(directory.log_path, offset, rest=not live)
        if not live:
            return 0
        time.sleep(_POLL)


def _print_from(path: Path, offset: int, *, rest: bool) -> int:
    """Print whole lines from ``offset`` on (with ``rest``, an unfinished one, too); returns the
    offset after them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n") and not rest:
                    break
                offset += len(line)
                sys.stdout.write(shown(line) + "\n")
    except FileNotFoundError:
        # The job has not written yet.
        return offset
    except OSError as error:
        raise WizardError(
            "The log cannot be read",
            f"{path}: {error.strerror or error}",
            "Look at the file's permissions and the disk.",
        ) from error
    sys.stdout.flush()
    return offset
