"""What a terminal can do."""

from __future__ import annotations

import os
from typing import TextIO


def redraws(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that can write over what it has shown."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
