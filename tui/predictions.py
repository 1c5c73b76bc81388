"""What a run will take, as the commands print it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from ..core.estimates import Estimate
from ..core.text import printable
from .problems import wrapped

_COLUMN = 16


def add_price_argument(parser: argparse.ArgumentParser) -> None:
    """The option with which a person gives the machine's price."""
    parser.add_argument(
        "--price",
        default="",
        metavar="PRICE",
        help="of an hour on this machine, such as 0.79 or '$0.79': shows what the run costs",
    )


def show(estimate: Estimate, price: str) -> None:
    """Print every figure with what it rests on."""
    for name, figure, basis in estimate.lines(price):
        words = f"{figure} ({basis})" if basis else figure
        text = wrapped(printable(words), " " * _COLUMN, f"{name:<{_COLUMN}}")
        sys.stdout.write(text + "\n")
    sys.stdout.write("\n")


def document(estimate: Estimate, price: str) -> dict[str, Any]:
    """The same for programs: bytes, seconds and money, null where nothing tells them."""
    figures = {
        "file": estimate.file,
        "disk": estimate.disk,
        "memory": estimate.memory,
        "time": estimate.time,
        "cost": estimate.cost(price),
    }
    found: dict[str, Any] = {
        name: asdict(figure) if figure else None for name, figure in figures.items()
    }
    found["fit"] = asdict(estimate.fit) if estimate.fit else None
    return found
