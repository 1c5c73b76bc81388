"""A picture with the frame of its crop drawn over it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance
from textual import work
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from ...core.dataset.picture_file import PictureError
from ...core.dataset.pixels import load_picture
from ...core.resize.frame import Box
from ..picture import fitted, half_blocks
from .graphics import can_draw, capabilities_of
from .text import shown

_FRAME = (255, 140, 0)
_OUTSIDE = 0.3
"""How bright it stays."""


class CropView(Widget):
    """The picture of a file in half blocks, dark outside of the frame. It is read in a thread; the
    frame moves without reading again."""

    DEFAULT_CSS = """
    CropView { width: 1fr; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._pixels = (1, 1)
        self._box: Box | None = None
        self._small: Image.Image | None = None
        self._trouble = ""
        self._strips: list[Strip] = []

    def show(self, path: Path, size: tuple[int, int], box: Box) -> None:
        """Show another file, of ``size`` pixels, with ``box`` of it framed."""
        self._box = box
        if path != self._path:
            self._path, self._pixels, self._small, self._trouble = path, size, None, ""
            self._request()
        self._draw()

    def on_resize(self) -> None:
        """Read it anew for the new room."""
        self._request()

    def render_line(self, y: int) -> Strip:
        """A line of the picture."""
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def _request(self) -> None:
        if self._path and self.size and can_draw(self.app):
            capabilities = capabilities_of(self.app)
            aspect = capabilities.cell_height / capabilities.cell_width
            room = (self.size.width, self.size.height)
            columns, rows = fitted(self._pixels, *room, aspect)
            self._read(self._path, (columns, rows * 2))

    @work(thread=True, exclusive=True, group="crop-view")
    def _read(self, path: Path, size: tuple[int, int]) -> None:
        worker, trouble = get_current_worker(), ""
        small: Image.Image | None = None
        try:
            picture = load_picture(path, at_least=max(size))
            small = picture.resize(size, Image.Resampling.HAMMING, reducing_gap=3.0)
        except PictureError as error:
            trouble = f"This picture cannot be shown: {error}"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, path, small, trouble)

    def _take(self, path: Path, small: Image.Image | None, trouble: str) -> None:
        if path == self._path:
            self._small, self._trouble = small, trouble
            self._draw()

    def _draw(self) -> None:
        if self._small and self._box:
            framed = _framed(self._small, self._pixels, self._box)
            columns, rows = framed.width, framed.height // 2
            self._strips = [Strip(line, columns) for line in half_blocks(framed, columns, rows)]
        else:
            lines = shown(self._trouble).wrap(max(1, self.size.width)) if self._trouble else []
            self._strips = [Strip(line.render_segments(self.visual_style)) for line in lines]
        self.refresh()


def _framed(small: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    across, down = small.width / size[0], small.height / size[1]
    left, top = round(box[0] * across), round(box[1] * down)
    right = max(left + 1, round(box[2] * across)) - 1
    bottom = max(top + 1, round(box[3] * down)) - 1
    inside = (left, top, right + 1, bottom + 1)
    made = ImageEnhance.Brightness(small).enhance(_OUTSIDE)
    made.paste(small.crop(inside), inside)
    ImageDraw.Draw(made).rectangle((left, top, right, bottom), outline=_FRAME)
    return made
