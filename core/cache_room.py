"""How much room the cache may take: what was not used for longest makes way. Whatever is deleted
can be made again.

An entry's modification time says when it was last read: see `training.store`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import WizardError

VARIABLE = "LORA_WIZARD_CACHE_GB"
USUAL_GB = 20.0


@dataclass(frozen=True)
class Entry:
    """A file of the cache. ``used``: seconds since 1970."""

    path: Path
    bytes: int
    used: float


def allowed_bytes() -> int:
    """What the cache may take on this machine: ``$LORA_WIZARD_CACHE_GB``, by default 20 GB. Raises
    WizardError for a value that is no number."""
    text = os.environ.get(VARIABLE, "")
    try:
        gigabytes = float(text or USUAL_GB)
        if not 0 <= gigabytes < 1e9:
            raise ValueError
    except ValueError:
        raise WizardError(
            f"{VARIABLE} is not a number of gigabytes", f"It is {text!r}.", f"Such as {VARIABLE}=50"
        ) from None
    return int(gigabytes * 1e9)


def entries(folder: Path) -> Iterator[Entry]:
    """Every file below ``folder``; links are neither followed nor counted."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(OSError):
                status = path.lstat()
                yield Entry(path, status.st_size, status.st_mtime)


def trim(folder: Path, most_bytes: int, used_before: float = float("inf")) -> tuple[int, int]:
    """Delete what was last used longest ago below ``folder`` until the rest takes at most
    ``most_bytes``, but nothing that was used at ``used_before`` or later. Returns (files deleted,
    bytes deleted)."""
    found = sorted(entries(folder), key=lambda entry: (entry.used, entry.path))
    excess = sum(entry.bytes for entry in found) - most_bytes
    files = freed = 0
    for entry in found:
        if freed >= excess or entry.used >= used_before:
            break
        with contextlib.suppress(OSError):
            entry.path.unlink()
            files, freed = files + 1, freed + entry.bytes
    return files, freed
