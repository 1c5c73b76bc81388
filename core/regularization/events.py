"""What a job that draws class pictures says beside what every job does (`core.run.events`)."""

from __future__ import annotations

from typing import TypedDict


class ClassPictureDrawn(TypedDict):
    """``drawn``: a class picture is on the disk."""

    path: str
    """Absolute."""
    prompt: str
    seed: int
