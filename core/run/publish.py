"""Copies of finished files where they are used: ComfyUI's or A1111's folder of LoRAs.

What lies there already is somebody's: only a copy that this run made, and that nobody has changed
since, is ever replaced. What is about to be written is noted before it is, so that a copy is known
whenever the process was killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

from ..errors import WizardError
from ..files import TEMPORARY_MARK, ExistsError, sha256_of, write_bytes, write_json
from .directory import RunDirectory

_RECORD = "published.json"
_ABANDONED = 600.0
"""Seconds without a write after which nobody writes a file any more."""
_BEFORE = "before"
"""In the record of a copy that is being written: the record of the copy that it replaces."""


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
    _sweep(folder)
    while True:
        ours = published(run)
        target, is_there = _free(folder, name, ours)
        made = {"file": file, "sha256": sha256}
        begun = {**made, _BEFORE: ours.get(str(target), {})}
        write_json(run.path / _RECORD, {**ours, str(target): begun})
        try:
            write_bytes(target, data, replacing=is_there)
        except ExistsError:
            write_json(run.path / _RECORD, ours)
            continue  # another run has published at this moment
        write_json(run.path / _RECORD, {**ours, str(target): made})
        return target


def _sweep(folder: Path) -> None:
    """Remove what a process of ours left in ``folder`` that was killed while it wrote. Others may
    be writing there at this moment: only what nobody has written to for long. No program lists
    it meanwhile, for it has no ending."""
    for orphan in folder.glob(f"{TEMPORARY_MARK}*"):
        with contextlib.suppress(OSError):
            facts = orphan.lstat()
            if stat.S_ISREG(facts.st_mode) and time.time() - facts.st_mtime > _ABANDONED:
                orphan.unlink()


def published(run: RunDirectory) -> dict[str, dict[str, str]]:
    """Path of each copy -> ``file`` of the run and ``sha256``, as it was made."""
    try:
        found = json.loads((run.path / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    settled = {
        path: _settled(Path(path), made) if _BEFORE in made else made
        for path, made in found.items()
        if isinstance(made, dict)
    }
    return {path: made for path, made in settled.items() if made}


def _settled(path: Path, begun: dict[str, Any]) -> dict[str, str]:
    """What lies at ``path``, which was about to be written when the process ended: the copy, or
    what was there before; empty when it is neither."""
    made = {name: value for name, value in begun.items() if name != _BEFORE}
    try:
        lies_there = sha256_of(path)
    except OSError:
        return {}
    known = (made, begun[_BEFORE])
    return next((one for one in known if one and one.get("sha256") == lies_there), {})


def _free(folder: Path, name: str, ours: dict[str, dict[str, str]]) -> tuple[Path, bool]:
    """The first name that is not taken by a file of somebody else's, and whether a copy of our own
    has it."""
    number = 1
    while True:
        target = folder / (f"{name}.safetensors" if number == 1 else f"{name}-{number}.safetensors")
        # Not Path.exists: a link that leads nowhere is somebody's, too.
        if not os.path.lexists(target):
            return target, False
        made = ours.get(str(target), {}).get("sha256")
        with contextlib.suppress(OSError):
            if made is not None and sha256_of(target) == made:
                return target, True
        number += 1
