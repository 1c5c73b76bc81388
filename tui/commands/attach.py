"""`lora-wizard attach`: watch a run again, on the whole screen."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ..arguments import add_run_argument
    from .open import add_images_argument

    add_run_argument(parser)
    add_images_argument(parser)
    parser.epilog = (
        "Leaving stops watching, not the run. Without a terminal it is followed in plain lines, as "
        "`lora-wizard train` does."
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the monitor; follow plainly where there is no screen for it."""
    from ...core.run.directory import find_run
    from .open import on_terminal, show, wants_plain

    directory = find_run(arguments.run)
    if not on_terminal() or wants_plain():
        from ..follow import follow

        return follow(directory)
    return show(arguments.images, run=directory)
