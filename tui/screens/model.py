"""The step `model`."""

from __future__ import annotations

from typing import ClassVar

from .step import StepScreen


class ModelScreen(StepScreen):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "model"
