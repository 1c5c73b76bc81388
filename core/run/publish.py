"""Copies of finished files where they are used: ComfyUI's or A1111's folder of LoRAs.

What lies there already is somebody's: only a copy that this run made, and that nobody has changed
since, is ever replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from ..errors import WizardError
from ..files import ExistsError, sha256_of, write_bytes, write_json
from .directory import RunDirectory

_RECORD = "published.json"


def publish(run: RunDirectory, file: str, folder: Path, name: str) -> Path:
    """Copy ``file`` of the run into ``folder`` as ``name``.safetensors, or, where that is taken,
    as ``name``-2.safetensors and so on; returns the path of the copy.

    Raises WriteError when it cannot be written, and WizardError when ``file`` cannot be read or is
    not what the run's manifest says.
    """
    try:
        data = (run.path / file).read_bytes()
    except OSError as error:
        raise WizardError(
            "A finished file cannot be read",
            f"{run.path / file}: {error.strerror or error}",
            "It may have been moved, or pruned by output.keep_last.",
        ) from error
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != run.manifest().get(file, {}).get("sha256", sha256):
        raise WizardError(
            "A finished file is not what was written",
            f"{run.path / file} has changed since the run saved it.",
            "It was not published.",
        )
    while True:
        ours = published(run)
        target = _free(folder, name, ours)
        try:
            write_bytes(target, data, replacing=os.path.lexists(target))
        except ExistsError:
            continue  # another run has published at this moment
        write_json(run.path / _RECORD, {**ours, str(target): {"file": file, "sha256": sha256}})
        return target


def published(run: RunDirectory) -> dict[str, dict[str, str]]:
    """Path of each copy -> ``file`` of the run and ``sha256``, as it was made."""
    try:
        found = json.loads((run.path / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {path: made for path, made in found.items() if isinstance(made, dict)}


def _free(folder: Path, name: str, ours: dict[str, dict[str, str]]) -> Path:
    """The first name that is not taken by a file of somebody else's."""
    number = 1
    while True:
        target = folder / (f"{name}.safetensors" if number == 1 else f"{name}-{number}.safetensors")
        # Not Path.exists: a link that leads nowhere is somebody's, too.
        if not os.path.lexists(target):
            return target
        made = ours.get(str(target), {}).get("sha256")
        with contextlib.suppress(OSError):
            if made is not None and sha256_of(target) == made:
                return target
        number += 1
