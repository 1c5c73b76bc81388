"""What was measured of a folder's files, kept outside the dataset.

One file per folder (`measures_path`), by file name, size and modification
time (ns). What cannot be read, or is of another version, counts as unknown; a file that cannot be
written only costs time next time.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import PIL

from ..errors import WizardError
from ..files import write_bytes
from .bars import Bars
from .measure import Extrema, Measures
from .pattern import Pattern
from .place import measures_path

_VERSION = 2


class LookStore:
    """The remembered measures of one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = measures_path(folder)
        self._rows = _read(self.path)
        self._changed: dict[str, list[Any]] = {}

    def measures(self, name: str, size: int, modified_ns: int) -> Measures | None:
        """Of a picture that has not changed since."""
        row = self._known(name, size, modified_ns)
        try:
            return _measures(row) if row is not None else None
        except (TypeError, ValueError):
            return None

    def extrema(self, name: str, size: int, modified_ns: int) -> Extrema | None:
        """Of a mask that has not changed since."""
        try:
            return _extrema(self._known(name, size, modified_ns))
        except ValueError:
            return None

    def remember(self, name: str, size: int, modified_ns: int, found: Measures | Extrema) -> None:
        """Keep what was measured; written by `save`."""
        row = list(found) if isinstance(found, tuple) else _row(found)
        self._rows[name] = self._changed[name] = [size, modified_ns, *row]

    def save(self) -> None:
        """Write what is new, together with what another process wrote meanwhile."""
        if not self._changed:
            return
        rows = {**_read(self.path), **self._changed}
        document = {"version": _VERSION, "pillow": PIL.__version__, "files": rows}
        data = json.dumps(document, separators=(",", ":")).encode("ascii")
        with contextlib.suppress(OSError, WizardError):
            write_bytes(self.path, data, durable=False)
        self._changed = {}

    def _known(self, name: str, size: int, modified_ns: int) -> list[Any] | None:
        row = self._rows.get(name)
        return row[2:] if row and row[:2] == [size, modified_ns] else None


def _read(path: Path) -> dict[str, list[Any]]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION or document["pillow"] != PIL.__version__:
            return {}
        rows = document["files"].items()
        return {name: row for name, row in rows if isinstance(row, list) and len(row) >= 4}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _row(found: Measures) -> list[Any]:
    bars = [found.bars.left, found.bars.top, found.bars.right, found.bars.bottom]
    pattern = [found.pattern.bits.hex(), found.pattern.tint.hex()]
    alpha = list(found.alpha) if found.alpha else None
    return [found.sharpness, found.darkest, found.brightest, bars, *pattern, alpha]


def _measures(row: list[Any]) -> Measures:
    """Raises TypeError or ValueError for anything but a row of ours."""
    sharpness, darkest, brightest, bars, bits, tint, alpha = row
    pattern = Pattern(bytes.fromhex(bits), bytes.fromhex(tint))
    if len(pattern.bits) not in (0, 18) or len(pattern.tint) != 48:
        raise ValueError("not a pattern")
    if sharpness is not None:
        sharpness = float(sharpness)
    sides = (float(side) for side in bars)
    light = int(darkest), int(brightest)
    return Measures(sharpness, *light, Bars(*sides), pattern, _extrema(alpha))


def _extrema(row: object) -> Extrema | None:
    match row:
        case None:
            return None
        case [int(low), int(high)]:
            return low, high
    raise ValueError("not the ends of a mask")
