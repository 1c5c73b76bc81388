"""Memory and time of a run before it has begun."""

from __future__ import annotations

from .assessment import Assessment
from .figures import UNKNOWN, Figure


def forecast(known: Assessment | None) -> list[Figure]:
    """What the run needs of the GPU and how long it takes."""
    return [Figure("VRAM", UNKNOWN), Figure("Time", UNKNOWN)]


def drawing_time(known: Assessment | None) -> Figure:
    """How long the pictures on the way take."""
    return Figure("Time", UNKNOWN)
