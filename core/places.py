"""Folders of ours outside the run: what can be made again, shared by all runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/lora-wizard``, by default ``~/.cache/lora-wizard``. Not created here."""
    # A relative value is invalid by the XDG specification, and would scatter caches about.
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".cache") / "lora-wizard"
