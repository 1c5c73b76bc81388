"""`lora-wizard sample`: draw the sample prompts now."""

from __future__ import annotations

import argparse

from ..arguments import add_run_argument as add_arguments

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Leave the request; the job obeys it at the end of its step."""
    from ..requests import leave

    return leave(arguments.run, "sample", "draws its sample prompts after this step")
