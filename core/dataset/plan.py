"""What training will see, down to the picture, the crop and the caption of every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Problem
from ..randomness import key

if TYPE_CHECKING:
    from .images import Picture


@dataclass(frozen=True, order=True)
class Bucket:
    """A size that pictures of like shape are trained at, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Crop:
    """How a picture comes into its bucket: scaled to ``scaled_width`` x ``scaled_height`` (covering
    the bucket), then the bucket's rectangle taken at (``left``, ``top``). All in pixels."""

    scaled_width: int
    scaled_height: int
    left: int
    top: int


@dataclass(frozen=True)
class Sample:
    """One picture of the dataset as training sees it."""

    id: str
    """Stable over moves of the dataset and over resumes: ``concept/relative path``. Random draws
    are keyed by it."""
    folder: Path
    name: str
    """Of its file in ``folder``."""
    width: int
    """After the EXIF orientation, in pixels, as is ``height``."""
    height: int
    file_size: int
    modified_ns: int
    concept: str
    trigger_words: tuple[str, ...]
    """None for a regularization picture: the class stays free of them."""
    repeats: int
    is_regularization: bool
    bucket: Bucket
    crop: Crop
    caption: str
    """As written by the user, decoded; the concept's name when there is none. Its lines are kept
    where they are alternatives."""
    caption_file: str | None
    """The path of the file it stands in."""
    prompt: str = ""
    """The concept's, in which the caption stands for ``[filewords]``; empty: the caption alone."""
    mask: Picture | None = None
    """Where its mask lies: a file of its own, or, for the alpha channel, the picture."""

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def caption_path(self) -> Path | None:
        return Path(self.caption_file) if self.caption_file else None


@dataclass(frozen=True)
class Draw:
    """One use of a sample: an entry of a micro-batch.

    Everything random about it is keyed by ``key``, never by its place in the batch, so that it is
    the same in a smaller batch, after a resume, or on another process.
    """

    sample: Sample
    epoch: int
    """Counts from 1."""
    repeat: int
    """Which of the sample's uses in this epoch, from 0."""

    def key(self, seed: int, purpose: str) -> int:
        return key(seed, purpose, self.epoch, self.sample.id, self.repeat)


MicroBatch = tuple[Draw, ...]
"""Draws of one bucket, trained in one forward pass."""
Window = tuple[MicroBatch, ...]
"""The micro-batches of one optimizer step."""


@dataclass(frozen=True)
class ConceptSummary:
    """What was found in one folder, for the person."""

    name: str
    folder: Path
    images: int
    captions: int
    repeats: int
    is_regularization: bool
    share: float
    """Of all training (not regularization) uses in an epoch, 0 to 1."""


@dataclass(frozen=True)
class DatasetPlan:
    """All samples of a run, and what was noticed about them."""

    samples: tuple[Sample, ...]
    concepts: tuple[ConceptSummary, ...]
    problems: tuple[Problem, ...] = field(default=())

    @property
    def training_samples(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if not sample.is_regularization)

    @property
    def regularization_samples(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if sample.is_regularization)
