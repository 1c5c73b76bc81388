"""The step `dataset`."""

from __future__ import annotations

from typing import ClassVar

from .step import StepScreen


class DatasetScreen(StepScreen):
    """See `tui.walk.steps`."""

    name_of_step: ClassVar[str] = "dataset"
