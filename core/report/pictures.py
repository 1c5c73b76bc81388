"""Pictures inside the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageOps


def data_url(path: Path, side: int) -> str:
    """The picture at ``path``, at most ``side`` pixels a side, as WebP in a ``data:`` URL; empty
    when it cannot be read."""
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=82)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
