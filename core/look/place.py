"""Where it is kept what was measured of pictures. No numpy: whoever asks may never look at any."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..places import cache_folder


def measures_path(folder: Path) -> Path:
    """Of the pictures that lie in ``folder``."""
    name = hashlib.blake2b(os.fsencode(os.path.realpath(folder)), digest_size=16).hexdigest()
    return cache_folder() / "look" / f"{name}.json"
