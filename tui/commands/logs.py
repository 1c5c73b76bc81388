"""`lora-wizard logs`: show a run's log."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from ...core.errors import WizardError
from ...core.text import printable

_BLOCK = 1 << 16
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


def last_lines_offset(path: Path, lines: int) -> int:
    """Where the last ``lines`` lines of a file begin; reads no more of it than that."""
    try:
        with path.open("rb") as file:
            position = end = file.seek(0, os.SEEK_END)
            missing = lines
            while position > 0:
                start = max(0, position - _BLOCK)
                file.seek(start)
                block = file.read(position - start)
                # The newline at the very end closes the last line, it begins none.
                stop = len(block) - 1 if position == end else len(block)
                while missing and (stop := block.rfind(b"\n", 0, stop)) >= 0:
                    missing -= 1
                if not missing:
                    return start + stop + 1 if lines else end
                position = start
    except OSError:
        # From the beginning: printing from there is what names a log that cannot be read.
        return 0
    return 0


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


def shown(line: bytes) -> str:
    """A line of the log as a terminal may have it; of a progress bar its last state."""
    text = line.decode("utf-8", "backslashreplace").rstrip("\n").rstrip("\r")
    return printable(text.rpartition("\r")[2].expandtabs())
