"""Starting the job that draws class pictures. No torch."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..config import RunConfig, configfile
from ..dataset.build import build_plan
from ..dataset.order import training_uses
from ..dataset.plan import DatasetPlan
from ..errors import WizardError
from ..families import registry as families
from ..run.tasks import TaskDirectory, begin, task_directory
from .options import ClassPictureOptions
from .order import Order

WHAT = "regularize"
MODULE = "lora_wizard.core.regularization"


@dataclass(frozen=True)
class Work:
    """Class pictures for a configuration, of one class or several."""

    config: RunConfig
    into: Path
    """What becomes `dataset.regularization_folder`."""
    classes: tuple[ClassPictureOptions, ...]
    counts: tuple[int, ...]
    """How many an epoch uses of each, for those whose options do not say how many."""

    def orders(self) -> list[Order]:
        """One for each class. Raises WizardError, also where training would take what is drawn for
        pictures of the subject."""
        self._check_folder()
        pairs = zip(self.classes, self.counts, strict=True)
        orders = [Order.of(self.config, options, self.into, count) for options, count in pairs]
        # Words that differ only in what no folder's name may hold share a folder.
        marks: dict[Path, set[str]] = {}
        for order in orders:
            marks.setdefault(order.folder, set()).add(order.mark)
        return [replace(order, beside=frozenset(marks[order.folder])) for order in orders]

    def _check_folder(self) -> None:
        dataset = self.config.dataset
        folders = (dataset.folder, *(concept.folder for concept in dataset.concepts))
        if os.path.realpath(self.into) in {os.path.realpath(each) for each in folders if each}:
            raise WizardError(
                "Class pictures need a folder of their own",
                f"In {self.into} they would be trained as pictures of the subject.",
                f"Name another one, such as {self.into.with_name(f'{self.into.name}-class')}",
            )

    @property
    def directory(self) -> TaskDirectory:
        """Where its job is, or would be."""
        return task_directory(WHAT, self.into)

    @property
    def batch_size(self) -> int:
        """How many are drawn together."""
        return self.classes[0].batch_size

    def begin(self, command: Sequence[str] = ()) -> tuple[TaskDirectory, subprocess.Popen[bytes]]:
        """Start drawing, or go on. Raises AlreadyRunningError, StartError, WriteError."""
        values = {
            "config": configfile.dumps(self.config),
            "into": str(self.into),
            "classes": [options.model_dump() for options in self.classes],
            "counts": list(self.counts),
        }
        return begin(WHAT, self.into, values, MODULE, command=command)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Work:
        """What `begin` was given."""
        return cls(
            configfile.loads(values["config"], Path("/")),
            Path(values["into"]),
            tuple(ClassPictureOptions.model_validate(item) for item in values["classes"]),
            tuple(values["counts"]),
        )


def uses(config: RunConfig) -> int:
    """How many class pictures an epoch of ``config`` uses: pictures x repeats, whatever class
    pictures it has now. Raises WizardError when its pictures cannot be planned."""
    return training_uses(_plan_without(config))


def uses_of_concepts(config: RunConfig) -> list[int]:
    """The same for each of `dataset.concepts`."""
    plan = _plan_without(config)
    folders = [Path(concept.folder).resolve() for concept in config.dataset.concepts]
    return [
        sum(item.repeats for item in plan.training_samples if item.path.parent.resolve() == folder)
        for folder in folders
    ]


def _plan_without(config: RunConfig) -> DatasetPlan:
    """Of the training pictures alone: class pictures are still to come."""
    dataset = config.dataset.model_copy(update={"regularization_folder": ""})
    alone = config.model_copy(update={"dataset": dataset})
    return build_plan(alone, families.find(config.model.family))


def default_folder(config: RunConfig) -> Path:
    """Where class pictures go when nobody says: the folder that the TOML names, or one beside the
    pictures, never inside them. Raises WizardError when there are no pictures either."""
    if config.dataset.regularization_folder:
        return Path(config.dataset.regularization_folder)
    folders: Iterable[str] = (
        config.dataset.folder,
        *(concept.folder for concept in config.dataset.concepts),
    )
    first = next((Path(folder) for folder in folders if folder), None)
    if first is None:
        raise WizardError(
            "It is not known where the class pictures go",
            "Neither dataset.regularization_folder nor dataset.folder is set.",
            "Name a folder: --into FOLDER",
        )
    return first.with_name(f"{first.name}-class")
