"""Folders outside the run, and the room they have."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import WizardError


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/lora-wizard``, by default ``~/.cache/lora-wizard``. Not created here.
    Raises WizardError where there is no home folder, as `state_folder` does."""
    # A relative value is invalid by the XDG specification, and would scatter caches about.
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (home if home.is_absolute() else _home() / ".cache") / "lora-wizard"


def state_folder() -> Path:
    """``$XDG_STATE_HOME/lora-wizard``, by default ``~/.local/state/lora-wizard``. Not created
    here."""
    home = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (home if home.is_absolute() else _home() / ".local" / "state") / "lora-wizard"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise WizardError(
            "It is not known where your home folder is",
            "HOME is not set, and this machine has no entry for the user.",
            "Name a folder of yours: export HOME=/path/to/it",
        ) from error


def existing(folder: Path) -> Path:
    """``folder``, or what there is of its parents."""
    # Unlike Path.exists, os.path.exists is no error where a parent may not be looked into.
    return next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110


def free_bytes(folder: Path) -> int | None:
    """The room on the disk of ``folder``; None when it does not say."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def size_text(number: float) -> str:
    """A number of bytes, for people."""
    if number >= 1e9:
        return f"{number / 1e9:.1f} GB"
    if number < 1e5:
        return f"{number / 1e3:.1f} KB" if number >= 1e3 else f"{number:.0f} bytes"
    return f"{number / 1e6:.0f} MB" if number >= 1e7 else f"{number / 1e6:.1f} MB"
