"""What a run was trained on, so that a resume can tell whether it still is that. No torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..dataset.plan import DatasetPlan, Sample
from ..errors import WizardError
from ..files import write_json

_SHOWN = 10

Manifest = dict[str, dict[str, Any]]
"""By the sample's id: all about it that training sees."""


class ChangedError(WizardError):
    """What a run was begun with is no longer what it was."""

    resume_helps = False


def of_plan(plan: DatasetPlan, hashes: Mapping[Path, str]) -> Manifest:
    """``hashes``: SHA-256 of the bytes of each picture and mask."""
    return {sample.id: _entry(sample, hashes) for sample in plan.samples}


def digest(manifest: Manifest) -> str:
    """One hash for all of it."""
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def keep(path: Path, manifest: Manifest) -> None:
    """Write it for a later resume. Raises WriteError."""
    write_json(path, manifest)


def check_unchanged(path: Path, now: Manifest) -> None:
    """Compare with what `keep` wrote to ``path``.

    Raises ChangedError with the differences: a run that goes on with other pictures is neither the
    old run nor a new one.
    """
    try:
        before = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ChangedError(
            "It cannot be told whether the dataset is still the same",
            f"{path}: {error}",
            "Start a new run from the TOML.",
        ) from error
    lines = differences(before, now)
    if not lines:
        return
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    raise ChangedError(
        "The dataset has changed since this run began",
        "\n".join([*lines[:_SHOWN], *more]),
        "Undo the changes to resume, or start a new run from the TOML to train on what is there "
        "now. The files of this run stay as they are.",
    )


def differences(before: Manifest, now: Manifest) -> list[str]:
    """One line for each sample that came, went or changed."""
    lines: list[str] = []
    for identity in sorted({*before, *now}):
        if identity not in now:
            lines.append(f"gone: {identity}")
        elif identity not in before:
            lines.append(f"new: {identity}")
        else:
            old, new = before[identity], now[identity]
            changed = [name for name in new if old.get(name) != new[name]]
            if changed:
                lines.append(f"{', '.join(changed)} changed: {identity}")
    return lines


def _entry(sample: Sample, hashes: Mapping[Path, str]) -> dict[str, Any]:
    # Only where there is one: runs of before have none to compare with.
    prompt = {"prompt": sample.prompt} if sample.prompt else {}
    mask = sample.mask.path if sample.mask else sample.path
    return {
        "picture": hashes[sample.path],
        "caption": sample.caption,
        "trigger words": list(sample.trigger_words),
        "repeats": sample.repeats,
        "regularization": sample.is_regularization,
        "bucket": asdict(sample.bucket),
        "crop": asdict(sample.crop),
        **prompt,
        **({"mask": hashes[mask]} if mask != sample.path else {}),
    }
