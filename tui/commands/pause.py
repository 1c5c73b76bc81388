"""`lora-wizard pause`: save the state and rest."""

from __future__ import annotations

import argparse
import sys

from ..arguments import add_run_argument as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Leave the request, and say what a pause keeps."""
    from ...core.run.directory import find_run
    from ..follow import label
    from ..requests import leave

    status = leave(arguments.run, "pause", "saves its state after this step and rests")
    name = label(find_run(arguments.run))
    sys.stdout.write(
        "It keeps what it has in the memory, of the GPU, too.\n"
        f"  go on:            lora-wizard resume {name}\n"
        f"  free the memory:  lora-wizard stop {name}, and resume it later\n"
    )
    return status
