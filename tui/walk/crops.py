"""Cutting pictures by hand, one after the other: where the frame is and how it moves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from ...core.config import RunConfig
from ...core.dataset.buckets import BucketError, BucketRule
from ...core.dataset.images import Progress
from ...core.dataset.plan import DatasetPlan
from ...core.errors import ProblemsError
from ...core.families import registry
from ...core.resize.crops import CropTable
from ...core.resize.frame import Box, Target, frame_of, frame_of_box, moved
from ...core.resize.job import resize
from ...core.resize.order import Order, check_folders, default_folder
from ...core.resize.source import SourcePicture, read_source
from ...core.resize.work import Outcome
from .draft import Draft

_LEAST_SHARE = 0.05
"""Of the largest box that fits."""

_PLACES = {"centre": "in the middle", "subject": "where most is to be seen"}


def order_of(config: RunConfig, plan: DatasetPlan) -> Order | None:
    """Copies of the pictures of ``plan`` for the resolution that they are trained at, without what
    is left out. Of folders that are listed one by one all copies go into one; None where these
    differ in more than their names, or have no folder above them."""
    listed = config.dataset.concepts
    if listed and len({item.model_dump_json(exclude={"folder"}) for item in listed}) > 1:
        return None
    folder = _above([item.folder for item in listed] or [config.dataset.folder])
    if not folder:
        return None
    try:
        rule = BucketRule.of(config.dataset, registry.find(config.model.family))
    except BucketError as error:
        raise ProblemsError("The resolution cannot be used", [error.problem]) from error
    target = Target((rule.width, rule.height), rule, config.dataset.upscale)
    only = frozenset(item.path for item in plan.samples if item.path.is_relative_to(folder))
    into = default_folder(folder)
    return Order(folder, into, target, at="subject", only=only, is_flat=bool(listed))


def _above(folders: Sequence[str]) -> Path | None:
    """The folder that all of them are, or are in."""
    if not all(folders):
        return None
    folder = Path(os.path.commonpath(folders))
    return folder if folder.is_dir() and folder != folder.parent else None


def train_with(draft: Draft, folder: Path) -> None:
    """Take the copies for the pictures. What was left out has no copy."""
    repeats = {item.get("repeats") for item in draft.value("dataset.concepts") or ()}
    if repeats:
        draft.put("dataset.concepts", None)
        draft.put("dataset.repeats", repeats.pop())
    patterns = [item for item in draft.value("dataset.exclude") or () if "/" not in item]
    draft.put("dataset.exclude", patterns or None)
    draft.enter("dataset.folder", str(folder))


class Crops:
    """The pictures of an order, the one that is shown, and its frame. The table is written at each
    change."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.pictures: tuple[SourcePicture, ...] = ()
        self.place = 0
        self.box: Box = (0, 0, 1, 1)
        self._table = CropTable(order.into)
        self._rule = order.target.rule

    def read(self) -> tuple[SourcePicture, ...]:
        """The pictures, for `begin`. Raises WizardError. For a thread."""
        check_folders(self.order.source, self.order.into)
        return read_source(self.order.source, self.order.only).pictures

    def begin(self, pictures: tuple[SourcePicture, ...]) -> None:
        """Take the pictures, and show the first."""
        self.pictures = pictures
        self.go(0)

    @property
    def here(self) -> SourcePicture | None:
        """The picture that is shown."""
        return self.pictures[self.place] if self.pictures else None

    @property
    def size(self) -> tuple[int, int]:
        """Of the picture that is shown."""
        assert self.here
        return self.here.picture.width, self.here.picture.height

    @property
    def path(self) -> Path | None:
        """Its file."""
        return self.here.picture.path if self.here else None

    @property
    def is_by_hand(self) -> bool:
        """Whether its frame was set by hand."""
        return bool(self.here and self._table.box(self.here.name, self.size))

    def go(self, place: int) -> bool:
        """Show another picture; False beyond the ends."""
        if not 0 <= place < len(self.pictures):
            return False
        self.place = place
        assert self.here
        self.box = self._table.box(self.here.name, self.size) or self._middle()
        return True

    def move(self, right: float, down: float) -> None:
        """Move the frame by shares of the picture's longer side."""
        step = max(self.size)
        left, top, far, bottom = self.box
        middle = (left + far) / 2 + right * step, (top + bottom) / 2 + down * step
        at = middle[0] / self.size[0], middle[1] / self.size[1]
        self._set(moved(self.box, self.size, at))

    def grow(self, factor: float) -> None:
        """Make the frame larger or smaller around its middle, its shape kept, within the
        picture."""
        left, top, right, bottom = self.box
        widest = self._middle()
        most = (widest[2] - widest[0]) / (right - left)
        factor = max(min(factor, most), most * _LEAST_SHARE)
        width, height = (right - left) * factor, (bottom - top) * factor
        at = (left + right) / 2 / self.size[0], (top + bottom) / 2 / self.size[1]
        self._set(moved((0, 0, width, height), self.size, at))

    def propose(self, box: Box) -> None:
        """Show where the rule for all puts the frame; not by hand."""
        if not self.is_by_hand:
            self.box = box

    def put(self, box: Box) -> None:
        """Set the frame."""
        self._set(box)

    def centre(self) -> None:
        """Put the frame into the middle, as large as it can be."""
        self._set(self._middle())

    def forget(self) -> None:
        """Leave the picture to the rule for all."""
        if self.here:
            self._table.put(self.here.name, self.size, None)
            self._table.save()
            self.box = self._middle()

    def words(self) -> str:
        """What is cut, in a line."""
        left, top, right, bottom = self.box
        frame = frame_of_box(self.box, self.order.target)
        enlarged = frame.size[0] > right - left + 1
        where = "by hand" if self.is_by_hand else _PLACES[self.order.at]
        return (
            f"{where}: {right - left:.0f}x{bottom - top:.0f} at {left:.0f},{top:.0f} of "
            f"{self.size[0]}x{self.size[1]} -> {frame.size[0]}x{frame.size[1]}"
            f"{', enlarged' if enlarged else ''}"
        )

    def turn_target(self) -> None:
        """Between the sizes of training and one size for all."""
        target = self.order.target
        rule = None if target.rule else self._rule
        self.order = replace(self.order, target=replace(target, rule=rule))
        self.go(self.place)

    def make(self, progress: Progress, stop: Event) -> Outcome:
        """Make the copies. Raises WizardError. For a thread."""
        return resize(self.order, progress=progress, stop=stop)

    def _middle(self) -> Box:
        return frame_of(self.size, self.order.target, "crop").box

    def _set(self, box: Box) -> None:
        assert self.here
        self.box = box
        self._table.put(self.here.name, self.size, box)
        self._table.save()
