"""Where a picture is drawn with characters."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.app import App
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from ...core.text import printable
from ..terminal.capabilities import Capabilities
from .drawings import Drawing, Frame, drawings
from .text import shown


def capabilities_of(app: App[object]) -> Capabilities:
    """What the terminal can, as it was found before the app began."""
    return getattr(app, "capabilities", None) or Capabilities()


def can_draw(app: App[object]) -> bool:
    """Whether pictures are to be drawn at all."""
    return capabilities_of(app).pictures != "none" and not app.no_color


class Canvas(Widget):
    """The picture itself, or words in its place. The file is read and scaled in a thread."""

    class Drawn(Message):
        """A file was looked at."""

        def __init__(self, path: Path, drawing: Drawing) -> None:
            super().__init__()
            self.path = path
            self.drawing = drawing

    DEFAULT_CSS = """
    Canvas { width: 1fr; height: 1fr; }
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._path = path
        self._drawing = Drawing()
        self._strips: tuple[Strip, ...] = ()

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

    def _request(self) -> None:
        frame = Frame(
            *self.size, capabilities_of(self.app).cell_aspect, is_drawn=can_draw(self.app)
        )
        if self._path is None or not frame.columns:
            self._take(None, Drawing())
            return
        # What was drawn before is shown at once; the thread looks whether it is still true.
        self._take(self._path, drawings.known(self._path, frame))
        self._draw(self._path, frame)

    @work(thread=True, exclusive=True, group="draw")
    def _draw(self, path: Path, frame: Frame) -> None:
        worker = get_current_worker()
        # Whoever runs through the pictures does not wait for those that are past.
        if not worker.is_cancelled:
            drawing = drawings.draw(path, frame)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._take, path, drawing)

    def _take(self, path: Path | None, drawing: Drawing | None) -> None:
        if path != self._path:
            return
        if path and drawing:
            self.post_message(self.Drawn(path, drawing))
        if drawing is self._drawing:
            return
        self._drawing = drawing or Drawing()
        self._strips = self._drawing.strips or self._words(self._drawing)
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
