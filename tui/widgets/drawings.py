"""Picture files as what a terminal shows, remembered. Called from threads; knows no widget."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from PIL import Image
from textual.strip import Strip

from ...core.dataset.masks import load_mask
from ...core.dataset.picture_file import PictureError, open_picture, oriented_size
from ...core.dataset.pixels import load_picture
from ...core.places import size_text
from ..picture import fitted, half_blocks
from ..terminal.capabilities import Pictures
from ..terminal.kitty import MOST_CELLS
from ..terminal.sixel import sixels

_MOST_REMEMBERED = 400_000
"""Characters that are remembered in all: some hundred thumbnails and the pictures last seen."""
_BYTES_A_CELL = 250
"""About what a character with its colours takes, to weigh what is kept as bytes."""


@dataclass(frozen=True)
class Frame:
    """The room for a picture, in characters of ``cell`` (width, height) pixels, and the way it is
    drawn; ``none``: only `Drawing.facts` are wanted."""

    columns: int
    rows: int
    cell: tuple[int, int] = (10, 20)
    kind: Pictures = "half"
    is_alpha: bool = False
    """Whether the alpha channel is drawn, as grey, and not the picture."""


@dataclass(frozen=True)
class Drawing:
    """A picture file as it can be shown now."""

    strips: tuple[Strip, ...] = ()
    """At most as many, and as wide, as the frame; empty when there is nothing to draw with
    characters."""
    size: tuple[int, int] = (0, 0)
    """(columns, rows) that the picture fills."""
    png: bytes = b""
    """For `kitty.send`."""
    sixels: str = ""
    """What paints the picture."""
    facts: str = ""
    """``512x768, 1.2 MB``; empty when it cannot be read."""
    trouble: str = ""
    """Why it cannot be shown, for a person."""
    signature: tuple[int, int] = (0, 0)
    """The file's size and modification time when it was drawn."""

    @property
    def cells(self) -> int:
        sent = (len(self.png) + len(self.sixels)) // _BYTES_A_CELL
        return sum(strip.cell_length for strip in self.strips) + sent + 1


class Drawings:
    """Drawings by file and frame; the least recently used are forgotten. Thread-safe."""

    def __init__(self, most_cells: int = _MOST_REMEMBERED) -> None:
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
        if frame.kind == "none" or frame.columns < 1 or frame.rows < 1:
            return Drawing(facts=facts, signature=signature)
        width, height = frame.cell
        columns, rows = fitted(size, *_most(frame), height / width)
        if frame.kind == "half":
            picture = _loaded(path, frame, max(columns, rows * 2))
            strips = tuple(Strip(line, columns) for line in half_blocks(picture, columns, rows))
            return Drawing(strips, (columns, rows), facts=facts, signature=signature)
        room = (columns * width, rows * height)
        picture = _loaded(path, frame, max(room))
    except PictureError as error:
        return Drawing(trouble=str(error), signature=signature)
    if frame.kind == "sixel":
        painted = sixels(picture.resize(room, Image.Resampling.LANCZOS))
        return Drawing((), (columns, rows), sixels=painted, facts=facts, signature=signature)
    png = _png(picture, room)
    return Drawing((), (columns, rows), png=png, facts=facts, signature=signature)


def _loaded(path: Path, frame: Frame, at_least: int) -> Image.Image:
    if frame.is_alpha:
        return load_mask(path, is_alpha=True).convert("RGB")
    return load_picture(path, at_least=at_least)


def _most(frame: Frame) -> tuple[int, int]:
    if frame.kind == "kitty":
        return min(frame.columns, MOST_CELLS), min(frame.rows, MOST_CELLS)
    return frame.columns, frame.rows


def _png(picture: Image.Image, room: tuple[int, int]) -> bytes:
    """The picture in as many pixels as can be seen; the terminal itself enlarges a small one."""
    picture.thumbnail(room, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _length(size: int) -> str:
    return f"{size / 1e3:.0f} KB" if size < 1e6 else size_text(size)


def name_of(path: Path) -> str:
    """The file's name as the folder has it, for `shown`."""
    return os.path.basename(path)  # noqa: PTH119 - keeps a name of dots
