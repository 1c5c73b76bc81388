"""The seam between the wizard and what finds words for pictures.

A captioner is one module with a ``SPEC``, which imports nothing heavy until `CaptionerSpec.create`
is called. Its options are defined like the configuration's, so that a form, a help text and a
check are made from them. It returns words; writing them is `core.dataset.caption_files`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.config.options import OptionInfo, Section, walk


@dataclass(frozen=True)
class Captioned:
    """A picture with what was found for it."""

    picture: Path
    text: str
    """Empty when there is nothing to say."""
    reason: str = ""
    """Why not, for a person."""


class Captioner(Protocol):
    """Finds words for pictures."""

    def caption(self, pictures: Sequence[Path]) -> Iterator[Captioned]:
        """One result for each picture, in their order, as soon as it is known. Whoever stops
        asking stops the work. Raises WizardError when it cannot go on."""
        ...


def nothing_missing() -> str:
    """For a captioner that needs nothing but the wizard."""
    return ""


@dataclass(frozen=True)
class CaptionerSpec:
    """What is known of a captioner without loading anything."""

    name: str
    title: str
    help: str
    """What it is good for, in a sentence or two."""
    options: type[Section]
    create: Callable[[Section], Captioner]
    """An instance of ``options`` -> the captioner. May import and load what is heavy."""
    missing: Callable[[], str] = nothing_missing
    """The command that installs what it lacks; "" when it can be used."""
    is_job: bool = False
    """Whether it is slow or heavy, and so must run in a process of its own."""

    def option_infos(self) -> list[OptionInfo]:
        """Its options, for forms and help."""
        return list(walk(self.options))
