"""The seam between what finds words for pictures and those who ask for them.

A captioner is one module with a ``SPEC``, which imports nothing heavy until it is called. Its
options are defined like the configuration's, so that a form, a help text and a check are made from
them. It returns words; writing them is `core.dataset.caption_files`'.

There are two kinds. A light one reads what is there already and answers at once, wherever it is
called (`Captioner`). A model looks at the pictures (`CaptionModel`); it is only loaded in a job, a
process of its own (`captioners.job`), which opens the pictures, makes batches, halves them when
memory runs out, and knows nothing of the model but this seam.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ..core.config.options import OptionInfo, Section, option, walk
from ..core.errors import Problem

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Captioned:
    """A picture with what was found for it."""

    picture: Path
    text: str
    """Empty when there is nothing to say."""
    reason: str = ""
    """Why not, for a person."""


class OutOfMemoryError(Exception):
    """A batch is too large for the device, said by a model that does not compute with torch."""


class Captioner(Protocol):
    """Finds words for pictures without looking at them."""

    def caption(self, pictures: Sequence[Path]) -> Iterator[Captioned]:
        """One result for each picture, in their order, as soon as it is known. Whoever stops
        asking stops the work. Raises WizardError when it cannot go on."""
        ...


class CaptionModel(Protocol):
    """A model that is loaded and looks at pictures."""

    def describe(self, pictures: Sequence[Image.Image]) -> list[str]:
        """A text for each picture of a batch (RGB, upright, of any sizes), in their order, without
        `ModelOptions.prefix`. What it says of a picture depends on nothing else in the batch.
        Raises torch.OutOfMemoryError, or without torch `OutOfMemoryError`, when the batch is too
        large, and changes nothing then."""
        ...


class ModelOptions(Section):
    """What every captioner that is a model can be told. Each has a ``model`` of its own beside
    these: a hub id or a folder."""

    prefix: str = option(
        "",
        help='What every caption begins with, such as "trigger, ": with its comma and space.',
        level="basic",
    )
    batch_size: int = option(
        1,
        ge=1,
        le=256,
        level="basic",
        help="How many pictures are looked at together. More is faster on a GPU; when its memory "
        "is too small, the batch is halved by itself.",
    )
    device: Literal["auto", "cuda", "cpu"] = option(
        "auto", help="Where it computes: on the GPU, if there is one."
    )


def nothing_missing(options: Section) -> Sequence[Problem]:
    """For a captioner that needs nothing but the wizard."""
    return ()


@dataclass(frozen=True, kw_only=True)
class CaptionerSpec:
    """What is known of a captioner without loading anything: a `LightSpec` or a `ModelSpec`."""

    name: str
    title: str
    help: str
    """What it is good for, in a sentence or two."""
    options: type[Section]
    missing: Callable[[Section], Sequence[Problem]] = nothing_missing
    """What is not installed or not downloaded, each with the command that brings it; asked before
    work starts, offline, in milliseconds, without heavy imports."""

    def option_infos(self) -> list[OptionInfo]:
        """Its options, for forms and help."""
        return list(walk(self.options))


@dataclass(frozen=True, kw_only=True)
class LightSpec(CaptionerSpec):
    """A captioner that answers at once."""

    create: Callable[[Section], Captioner]
    """An instance of ``options`` -> the captioner."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec(CaptionerSpec):
    """A captioner that is a model; ``options`` are `ModelOptions`, or more."""

    options: type[ModelOptions]
    load: Callable[[ModelOptions], CaptionModel]
    """An instance of ``options`` -> the model, loaded, in evaluation mode, on its device. Raises
    WizardError. Only called in a job; what it needs is imported inside."""
