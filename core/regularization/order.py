"""What is to be drawn, worked out before anything is loaded: how many class pictures a training
uses, which of them are there, and the prompt of each that is missing. No torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..config import RunConfig
from ..dataset.buckets import BucketRule
from ..dataset.images import is_picture_name
from ..dataset.picture_file import PictureError, open_picture
from ..errors import WizardError
from ..families import registry as families
from ..families.base import SamplePrompt
from ..sampling import samplers
from .options import ClassPictureOptions

_NO_FILE_NAME = re.compile(r"[/\x00-\x1f]+")
_MULTIPLE = 8
_LONGEST = 240
"""Bytes; a name has 255 at most."""


@dataclass(frozen=True)
class Order:
    """The class pictures of one class: ``count`` of them in ``folder``."""

    folder: Path
    """``1_<class word>``, as sd-scripts reads it: each picture counts once."""
    count: int
    prompt: SamplePrompt
    """Of the first picture."""
    mark: str
    """Stands for everything that a picture depends on but its number; the beginning of its name."""
    beside: frozenset[str] = frozenset()
    """Marks of orders that share the folder and are drawn together: each has its own count."""

    @classmethod
    def of(cls, config: RunConfig, options: ClassPictureOptions, into: Path, count: int) -> Order:
        """``into`` is what becomes `dataset.regularization_folder`. ``count`` is taken where
        ``options`` has none. Raises WizardError for an unknown sampler or family."""
        rule = BucketRule.of(config.dataset, families.find(config.model.family))
        prompt = SamplePrompt(
            prompt=options.prompt.strip() or f"a photo of a {options.class_word.strip()}",
            negative_prompt=options.negative_prompt,
            width=_whole(options.width or rule.width),
            height=_whole(options.height or rule.height),
            steps=options.steps,
            guidance=options.guidance,
            seed=options.seed,
            sampler=samplers.find(options.sampler),
        )
        model = config.model.model_dump(include={"base", "vae", "prediction", "precision"})
        told = json.dumps([prompt.__dict__, model], sort_keys=True)
        mark = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
        folder = into / f"1_{folder_word(options.class_word)}"
        return cls(folder, options.count or count, prompt, mark)

    def path(self, number: int) -> Path:
        """Of the picture ``number``, from 1."""
        return self.folder / f"{self.mark}-{number:05d}.png"

    def missing(self) -> list[tuple[Path, SamplePrompt]]:
        """What is not there yet, in order: path and prompt. Pictures of other orders, or of the
        person's own, count as they are; one that cannot be opened does not."""
        marks = tuple(f"{mark}-" for mark in {self.mark, *self.beside})
        others = sum(not path.name.startswith(marks) for path in pictures_in(self.folder))
        numbers = range(1, self.count - others + 1)
        return [
            (path, _with_seed(self.prompt, number))
            for number in numbers
            if not _is_there(path := self.path(number))
        ]


def folder_word(class_word: str) -> str:
    """The class word as the name of a folder, or as much of it as a name may hold."""
    name = _NO_FILE_NAME.sub(" ", class_word).encode("utf-8", "replace")[:_LONGEST]
    return name.decode("utf-8", "ignore").strip(". ") or "class"


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a class folder that can be opened; none for one that is not there. Raises
    WizardError for one that cannot be looked into."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if is_picture_name(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WizardError(
            "The folder of class pictures cannot be read",
            f"{folder}: {error.strerror or error}",
            "Change its permissions, or name another folder.",
        ) from error
    return [path for path in found if _is_there(path)]


def _is_there(path: Path) -> bool:
    try:
        with open_picture(path):
            return True
    except PictureError:
        return False


def _with_seed(prompt: SamplePrompt, number: int) -> SamplePrompt:
    return SamplePrompt(**{**prompt.__dict__, "seed": prompt.seed + number - 1})


def _whole(side: int) -> int:
    """What a VAE of eight pixels a cell can draw."""
    return max(_MULTIPLE, side // _MULTIPLE * _MULTIPLE)
