"""The table of what was copied, in the new folder: what is there and current is not done again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files import write_json
from .frame import Box, Size

NAME = "resize.json"
SUFFIX = "-resized"
"""Behind the name of the pictures' folder, for that of the copies, where nobody names another."""
_VERSION = 1


@dataclass(frozen=True)
class Row:
    """A copy as it was written. Sizes of files in bytes, times in ns."""

    source: str
    """Its name in the source folder."""
    file: str
    """The copy's, in the new folder."""
    box: Box
    scaled: Size
    """What the box became; with padding around it, less than `size`."""
    size: Size
    recipe: str
    """Everything that the copy depends on but the picture itself."""
    source_size: int
    source_modified_ns: int
    file_size: int
    file_modified_ns: int


class ResizeTable:
    """The rows of a new folder, by the picture's name in the source."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.path = folder / NAME
        self.source = os.path.realpath(source)
        self.rows: dict[str, Row] = {}
        self.made_from = ""
        """The source that a table found there names; empty when there is none."""
        self._read()

    def save(self) -> None:
        """Raises WriteError."""
        rows = [asdict(row) for _, row in sorted(self.rows.items())]
        write_json(self.path, {"version": _VERSION, "source": self.source, "pictures": rows})

    def _read(self) -> None:
        try:
            document = json.loads(self.path.read_bytes())
            if document["version"] != _VERSION:
                return
            self.made_from = str(document["source"])
            for row in map(_row, document["pictures"]):
                self.rows[row.source] = row
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.rows = {}


def originals(folder: Path) -> dict[str, Path]:
    """The pictures that the copies in ``folder`` were made from, by the copies' names; nothing
    for a folder that is not one of copies."""
    table = ResizeTable(folder, folder)
    return {row.file: Path(table.made_from, row.source) for row in table.rows.values()}


def _row(document: dict[str, Any]) -> Row:
    left, top, right, bottom = (float(side) for side in document["box"])
    scaled, size = (_size(document[key]) for key in ("scaled", "size"))
    rest = {key: value for key, value in document.items() if key not in ("box", "scaled", "size")}
    row = Row(box=(left, top, right, bottom), scaled=scaled, size=size, **rest)
    texts = (row.source, row.file, row.recipe)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a row of the table")
    return row


def _size(sides: list[int]) -> Size:
    width, height = sides
    return int(width), int(height)
