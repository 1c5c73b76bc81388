"""The crops that were set by hand, in the new folder: what a copy of a picture is cut from."""

from __future__ import annotations

import json
from pathlib import Path

from ..files import write_json
from .frame import Box, Size

NAME = "crops.json"
_VERSION = 1


class CropTable:
    """Boxes by the picture's path in the source folder, for the size that the picture had.

    A table that cannot be read counts as empty; `save` would then replace it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._rows = _read(self.path)

    def __len__(self) -> int:
        return len(self._rows)

    def box(self, name: str, size: Size) -> Box | None:
        """The box of a picture that still has that size."""
        row = self._rows.get(name)
        return row[1] if row and row[0] == size and _fits(row[1], size) else None

    def put(self, name: str, size: Size, box: Box | None) -> None:
        """Set it, or forget it with None; written by `save`."""
        if box is None:
            self._rows.pop(name, None)
        else:
            left, top, right, bottom = (round(side, 2) for side in box)
            self._rows[name] = (size, (left, top, right, bottom))

    def save(self) -> None:
        """Raises WriteError."""
        rows = {name: {"size": row[0], "box": row[1]} for name, row in sorted(self._rows.items())}
        write_json(self.path, {"version": _VERSION, "pictures": rows}, durable=False)


def _fits(box: Box, size: Size) -> bool:
    left, top, right, bottom = box
    return 0 <= left < right <= size[0] + 0.01 and 0 <= top < bottom <= size[1] + 0.01


def _read(path: Path) -> dict[str, tuple[Size, Box]]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            return {}
        rows: dict[str, tuple[Size, Box]] = {}
        for name, row in document["pictures"].items():
            width, height = row["size"]
            left, top, right, bottom = (float(side) for side in row["box"])
            rows[str(name)] = ((int(width), int(height)), (left, top, right, bottom))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return rows
