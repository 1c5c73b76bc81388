"""Picture files as strips of characters, remembered. Called from threads; knows no widget."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from textual.strip import Strip

from ...core.dataset.images import PictureError, open_picture, oriented_size
from ...core.dataset.pixels import load_picture
from ...core.places import size_text
from ..picture import fitted, half_blocks

_MOST_CELLS = 400_000
"""Characters that are remembered in all: some hundred thumbnails and the pictures last seen."""


@dataclass(frozen=True)
class Frame:
    """The room for a picture, in characters, whose height is ``cell_aspect`` widths."""

    columns: int
    rows: int
    cell_aspect: float = 2.0
    is_drawn: bool = True
    """False: only `Drawing.facts` are wanted."""


@dataclass(frozen=True)
class Drawing:
    """A picture file as it can be shown now."""

    strips: tuple[Strip, ...] = ()
    """At most as many, and as wide, as the frame; empty when there is nothing to draw."""
    facts: str = ""
    """``512x768, 1.2 MB``; empty when it cannot be read."""
    trouble: str = ""
    """Why it cannot be shown, for a person."""
    signature: tuple[int, int] = (0, 0)
    """The file's size and modification time when it was drawn."""

    @property
    def cells(self) -> int:
        return sum(strip.cell_length for strip in self.strips) or 1


class Drawings:
    """Drawings by file and frame; the least recently used are forgotten. Thread-safe."""

    def __init__(self, most_cells: int = _MOST_CELLS) -> None:
        self._most = most_cells
        self._cells = 0
        self._lock = Lock()
        self._known: OrderedDict[tuple[Path, Frame], Drawing] = OrderedDict()

    def known(self, path: Path, frame: Frame) -> Drawing | None:
        """What was drawn last, without a look at the file: at once, perhaps stale."""
        with self._lock:
            found = self._known.get((path, frame))
            if found:
                self._known.move_to_end((path, frame))
            return found

    def draw(self, path: Path, frame: Frame) -> Drawing:
        """The file as it is now. For a thread: decoding takes up to a tenth of a second."""
        try:
            found = path.stat()
            signature = (found.st_size, found.st_mtime_ns)
        except OSError as error:
            return Drawing(trouble=f"cannot be read: {error.strerror or error}")
        except ValueError:
            return Drawing(trouble="cannot be read: not a path")
        known = self.known(path, frame)
        if known and known.signature == signature:
            return known
        drawing = _draw(path, frame, signature)
        with self._lock:
            before = self._known.pop((path, frame), None)
            self._cells += drawing.cells - (before.cells if before else 0)
            self._known[path, frame] = drawing
            while self._cells > self._most and len(self._known) > 1:
                self._cells -= self._known.popitem(last=False)[1].cells
        return drawing


drawings = Drawings()
"""Those of this process."""


def _draw(path: Path, frame: Frame, signature: tuple[int, int]) -> Drawing:
    try:
        with open_picture(path) as image:
            size = oriented_size(image)
        facts = f"{size[0]}x{size[1]}, {_length(signature[0])}"
        if not frame.is_drawn or frame.columns < 1 or frame.rows < 1:
            return Drawing(facts=facts, signature=signature)
        columns, rows = fitted(size, frame.columns, frame.rows, frame.cell_aspect)
        picture = load_picture(path, at_least=max(columns, rows * 2))
        strips = tuple(Strip(line, columns) for line in half_blocks(picture, columns, rows))
    except PictureError as error:
        return Drawing(trouble=str(error), signature=signature)
    return Drawing(strips, facts, signature=signature)


def _length(size: int) -> str:
    return f"{size / 1e3:.0f} KB" if size < 1e6 else size_text(size)


def name_of(path: Path) -> str:
    """The file's name as the folder has it, for `shown`."""
    return os.path.basename(path)  # noqa: PTH119 - keeps a name of dots
