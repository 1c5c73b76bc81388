"""A picture file on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from ...core.text import printable
from .canvas import Canvas
from .graphics import can_draw
from .text import clipped, shown

_LEAST_LABEL = 8


class Picture(Vertical):
    """The picture in the file ``path``, as large as its room allows with its sides' ratio kept;
    below it ``label`` (by default the file's name) and the file's size. It is read in a thread.

    How much room, the stylesheet says. Where nothing can be drawn, and for a file that cannot be
    read, words stand in its place. With ``can_focus``, enter shows it in all of the terminal.
    ``is_large`` says that it has all of it already, and is drawn as well as the terminal can;
    ``is_alpha``, that the file's alpha channel is what is drawn.
    """

    DEFAULT_CSS = """
    Picture { width: 1fr; height: 1fr; }
    Picture > .picture-label { height: 1; width: 1fr; color: $text-muted; }
    Picture:focus > .picture-label { color: $text; text-style: bold reverse; }
    Picture.-bare > .picture-label { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enlarge", "Enlarge")]

    def __init__(
        self,
        path: Path | None = None,
        *,
        label: str = "",
        is_labelled: bool = True,
        can_focus: bool = False,
        is_large: bool = False,
        is_alpha: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = can_focus
        self._is_labelled = is_labelled
        self._is_large = is_large
        self._is_alpha = is_alpha
        self._path = path
        self._label = label
        self._facts = ""

    @property
    def path(self) -> Path | None:
        """The file that is shown."""
        return self._path

    def compose(self) -> ComposeResult:
        yield Canvas(self._path, is_large=self._is_large, is_alpha=self._is_alpha)
        yield Static("", classes="picture-label", markup=False)

    def on_mount(self) -> None:
        # Where words stand for the picture, they are the label's.
        self.set_class(not (self._is_labelled and can_draw(self.app)), "-bare")

    def on_resize(self) -> None:
        self._show_label()

    def show(self, path: Path | None, *, label: str = "") -> None:
        """Show another file; None leaves the place empty."""
        self._path, self._label, self._facts = path, label, ""
        if self.is_mounted:
            self._show_label()
            self.query_one(Canvas).show(path)

    def action_enlarge(self) -> None:
        """Show it in all of the terminal."""
        if self._path:
            from ..screens.large_picture import LargePicture

            self.app.push_screen(LargePicture(self._path))

    @on(Canvas.Drawn)
    def _drawn(self, event: Canvas.Drawn) -> None:
        event.stop()
        if event.path == self._path:
            self._facts = event.drawing.facts
            self._show_label()

    def _show_label(self) -> None:
        name = self._label or (self._path.name if self._path else "")
        self.query_one(".picture-label", Static).update(shown(self._fitting(name)))

    def _fitting(self, name: str) -> str:
        """``name`` and, where there is room for them, the facts."""
        room = max(_LEAST_LABEL, self.size.width)
        facts = f"  {self._facts}" if self._facts else ""
        left = room - len(facts)
        if cell_len(printable(name)) > left:
            return clipped(name, room)
        return printable(name) + facts
