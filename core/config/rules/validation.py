"""Rules of `[validation]`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..run_config import RunConfig
from .base import Finding, Rule, error, warning


def _folder(config: RunConfig) -> Iterator[Finding]:
    validation, dataset = config.validation, config.dataset
    if not validation.folder:
        for name, field in type(validation).model_fields.items():
            if name != "folder" and getattr(validation, name) != field.default:
                yield warning(
                    "has no effect without validation.folder",
                    f"validation.{name}",
                    "validation.folder",
                )
        return
    trained = {"dataset.folder": dataset.folder, "dataset.regularization_folder": ""}
    trained["dataset.regularization_folder"] = dataset.regularization_folder
    trained |= {
        f"dataset.concepts[{index}].folder": concept.folder
        for index, concept in enumerate(dataset.concepts)
    }
    for key, folder in trained.items():
        if folder and Path(folder) == Path(validation.folder):
            yield error(
                f"is the same folder as {key}",
                "validation.folder",
                key,
                remedy="A loss of pictures that are trained on says nothing new: move a few of "
                "them into a folder of their own.",
            )


RULES: tuple[Rule, ...] = (_folder,)
