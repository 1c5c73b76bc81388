"""Where a captioner's model lies: a folder of the user's, or the hub's cache. Never downloads."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import Problem, WizardError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


class ModelFilesError(WizardError):
    """A model, or a file of it, is not on this machine."""


def model_folder(model: str, files: Sequence[str]) -> Path:
    """The folder with all ``files`` of ``model``, which is a folder or a hub id.

    A folder of that name is preferred to the hub. Raises ModelFilesError with the command that
    brings what is missing.
    """
    own = Path(os.path.expanduser(model))  # noqa: PTH111, Path.expanduser raises for ~nobody
    if own.is_dir():
        missing = _missing(own, files)
        if not missing:
            return own
        raise ModelFilesError(
            f"The model has no {' and no '.join(missing)}",
            str(own),
            f"Put them into the folder: {', '.join(files)}.",
        )
    if not _HUB_ID.fullmatch(model):
        raise ModelFilesError(
            "The model is neither a folder nor a hub id",
            model,
            f"Give a folder that holds {', '.join(files)}, or an id such as owner/name.",
        )
    cached = _cached(model)
    if cached and not _missing(cached, files):
        return cached
    raise ModelFilesError(
        "The model is not downloaded" if cached is None else "The model is downloaded in part",
        model,
        f"Once: {download_command(model, files)}",
    )


def model_problems(model: str, files: Sequence[str]) -> list[Problem]:
    """What `model_folder` would raise, said before work starts. Takes milliseconds."""
    try:
        model_folder(model, files)
    except ModelFilesError as error:
        return [Problem(f"{error.title}: {error.message}", "model", remedy=error.remedy)]
    return []


def download_command(model: str, files: Sequence[str]) -> str:
    """What brings ``files`` of a hub id into the hub's cache."""
    return f"hf download {model} {' '.join(files)}"


def _cached(model: str) -> Path | None:
    """The newest snapshot of a hub id. Read from the cache's own files: the hub's client, which
    could tell, takes a quarter of a second to import."""
    from huggingface_hub.constants import HF_HUB_CACHE

    repository = Path(HF_HUB_CACHE, f"models--{model.replace('/', '--')}")
    try:
        commit = (repository / "refs/main").read_text().strip()
    except (OSError, ValueError):
        return None
    return repository / "snapshots" / commit


def _missing(folder: Path, files: Sequence[str]) -> list[str]:
    return [name for name in files if not (folder / name).is_file()]
