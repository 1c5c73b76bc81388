"""Where a picture is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual import work
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from ...core.text import printable
from .drawings import Drawing, Frame, drawings
from .graphics import SentPictures, capabilities_of, kind_of, write
from .text import shown


class Canvas(Widget):
    """The picture itself, or words in its place. The file is read and scaled in a thread.

    ``is_large``: it has the screen to itself, and is drawn as well as the terminal can. Where that
    is with sixels, it is drawn with characters first: they are what anything laid over the picture
    is laid over, and the sixels are painted whenever nothing is. ``is_alpha``: the file's
    alpha channel is drawn.
    """

    class Drawn(Message):
        """A file was looked at."""

        def __init__(self, path: Path, drawing: Drawing) -> None:
            super().__init__()
            self.path = path
            self.drawing = drawing

    DEFAULT_CSS = """
    Canvas { width: 1fr; height: 1fr; }
    """

    def __init__(
        self, path: Path | None = None, *, is_large: bool = False, is_alpha: bool = False
    ) -> None:
        super().__init__()
        self._path = path
        self._is_large = is_large
        self._is_alpha = is_alpha
        self._drawing = Drawing()
        self._strips: tuple[Strip, ...] = ()
        self._sixels = ""
        self._is_to_paint = False
        self._sent = SentPictures()

    def show(self, path: Path | None) -> None:
        """Show another file; None leaves the place empty."""
        self._path = path
        self._request()

    def on_resize(self) -> None:
        """Draw anew in the new room."""
        self._request()

    def render_line(self, y: int) -> Strip:
        """A line of the picture."""
        width = self.size.width
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(width, self.rich_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Part of the picture; what is drawn over sixels wipes them away."""
        self._ask_to_paint()
        return super().render_lines(crop)

    def on_unmount(self) -> None:
        """The terminal need not remember it."""
        self._sent.keep_only(self.app, ())

    def _ask_to_paint(self) -> None:
        if self._sixels and not self._is_to_paint:
            self._is_to_paint = True
            self.call_later(self._paint)

    def _paint(self) -> None:
        """Paint the sixels over the characters that were just drawn."""
        self._is_to_paint = False
        is_covered = self.app.screen is not self.screen or bool(self.screen.query("Toast"))
        if self._sixels and self.is_attached and not is_covered:
            x, y = self.content_region.offset
            write(self.app, f"\x1b7\x1b[{y + 1};{x + 1}H{self._sixels}\x1b8")

    def _request(self) -> None:
        capabilities = capabilities_of(self.app)
        cell = (capabilities.cell_width, capabilities.cell_height)
        kind = kind_of(self.app, is_large=self._is_large)
        frame = Frame(*self.size, cell, "half" if kind == "sixel" else kind, self._is_alpha)
        self._sixels = ""
        if self._path is None or not frame.columns:
            self._take(None, Drawing())
            return
        # What was drawn before is shown at once; the thread looks whether it is still true.
        self._take(self._path, drawings.known(self._path, frame))
        self._draw(self._path, frame, replace(frame, kind=kind) if kind == "sixel" else None)

    @work(thread=True, exclusive=True, group="draw")
    def _draw(self, path: Path, frame: Frame, sixel_frame: Frame | None) -> None:
        worker = get_current_worker()
        # Whoever runs through the pictures does not wait for those that are past.
        if not worker.is_cancelled:
            drawing = drawings.draw(path, frame)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._take, path, drawing)
            if drawing.strips and sixel_frame and not worker.is_cancelled:
                drawing = drawings.draw(path, sixel_frame)
                if not worker.is_cancelled:
                    self.app.call_from_thread(self._take_sixels, path, drawing)

    def _take_sixels(self, path: Path, drawing: Drawing) -> None:
        if path == self._path:
            self._sixels = drawing.sixels
            self._ask_to_paint()

    def _take(self, path: Path | None, drawing: Drawing | None) -> None:
        if path != self._path:
            return
        if path and drawing:
            self.post_message(self.Drawn(path, drawing))
        if drawing is self._drawing:
            return
        self._drawing = drawing or Drawing()
        if self._drawing.png:
            self._strips = self._sent.strips(self.app, self._drawing)
        else:
            self._strips = self._drawing.strips or self._words(self._drawing)
        self._sent.keep_only(self.app, (self._drawing,))
        self.refresh()

    def _words(self, drawing: Drawing) -> tuple[Strip, ...]:
        if drawing.trouble:
            words = f"This picture {printable(drawing.trouble)}"
        elif drawing.facts and self._path:
            words = f"{printable(self._path.name)}\n{drawing.facts}"
        else:
            return ()
        content = shown(words)
        lines = content.wrap(max(1, self.size.width))
        return tuple(Strip(line.render_segments(self.visual_style)) for line in lines)
