"""Where a captioner's model lies: a folder of the user's, or the hub's cache. Never downloads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..core.config.paths import is_hub_id, resolve_base_model
from ..core.errors import Problem, WizardError


class ModelNotHereError(WizardError):
    """A model, or a file of it, is not on this machine."""


def model_folder(model: str, files: Sequence[str]) -> Path:
    """The folder with all ``files`` of ``model``, which is a folder or a hub id.

    A folder of that name is preferred to the hub. Raises ModelNotHereError with the command that
    brings what is missing.
    """
    try:
        resolved = resolve_base_model(model, Path.cwd())
    except WizardError as error:
        raise ModelNotHereError(
            "This is the name of no model", f"{model!r}: {error.title}", error.remedy
        ) from error
    if not is_hub_id(resolved):
        return _own_folder(Path(resolved), files)
    cached = _cached(resolved)
    if cached and not _missing(cached, files):
        return cached
    raise ModelNotHereError(
        "The model is downloaded in part" if cached else "The model is not downloaded",
        resolved,
        f"Once: hf download {resolved} {' '.join(files)}",
    )


def model_problems(model: str, files: Sequence[str]) -> list[Problem]:
    """What `model_folder` would raise, said before work starts. Takes milliseconds."""
    try:
        model_folder(model, files)
    except ModelNotHereError as error:
        return [Problem(f"{error.title}: {error.message}", "model", remedy=error.remedy)]
    return []


def _own_folder(folder: Path, files: Sequence[str]) -> Path:
    # Unlike Path's methods, os.path's are no error where a folder may not be looked into.
    if not os.path.isdir(folder):  # noqa: PTH112
        raise ModelNotHereError(
            "The model is neither a folder nor a hub id",
            str(folder),
            f"Give a folder that holds {', '.join(files)}, or an id such as owner/name.",
        )
    if missing := _missing(folder, files):
        raise ModelNotHereError(
            f"The model has no {' and no '.join(missing)}",
            str(folder),
            f"Its folder has to hold {', '.join(files)}.",
        )
    return folder


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
    return [name for name in files if not os.path.isfile(folder / name)]  # noqa: PTH113
