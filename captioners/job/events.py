"""What a captioning job says beside what every job does (`core.run.events`)."""

from __future__ import annotations

from typing import TypedDict


class CaptionFound(TypedDict):
    """``captioned``: a model has said what a picture shows."""

    picture: str
    """Relative to the folder that the job is about."""
    text: str
    """With its prefix. The caption file is written later, in portions."""


class CaptionsWritten(TypedDict):
    """``captions``: at the end of a captioning, whichever."""

    written: int
    same: int
    """Files that said it already."""
    kept: int
    """Pictures that had a caption which was to stay."""
    left: int
    """Pictures that cannot be captioned, or whose caption was changed meanwhile."""
    waiting: int
    """Pictures that the next attempt goes on with."""
