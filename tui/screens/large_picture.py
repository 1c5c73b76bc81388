"""One picture, as large as the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Static

from ...core.dataset.masks import mask_beside
from ...core.dataset.picture_file import PictureError, has_alpha, open_picture
from ..widgets.picture import Picture
from ..widgets.text import shown


class LargePicture(ModalScreen[None]):
    """A picture with all the room there is, and the path of its file; any of esc, enter and q
    closes it, m shows its mask beside it: the file, or its alpha channel."""

    DEFAULT_CSS = """
    LargePicture { background: $background; }
    LargePicture > Static { height: auto; max-height: 3; color: $text-muted; }
    LargePicture #mask { display: none; }
    LargePicture.-masked #mask { display: block; margin: 0 0 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close"),
        Binding("m", "mask", "Mask"),
    ]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        file = mask_beside(path)
        self._is_alpha = file is None and _has_alpha(path)
        self._mask = path if self._is_alpha else file

    def compose(self) -> ComposeResult:
        more = "   m: its mask beside it, white is learned" if self._mask else ""
        if self._is_alpha:
            more = '   m: its alpha channel; with loss.mask = "alpha", white is learned'
        with Horizontal():
            yield Picture(self._path, is_large=True)
            if self._mask:
                label = f"{self._mask.name}, alpha" if self._is_alpha else ""
                yield Picture(self._mask, is_alpha=self._is_alpha, label=label, id="mask")
        yield Static(shown(f"{self._path}\nesc: back{more}"), markup=False)

    def action_mask(self) -> None:
        """Show the mask, or the picture alone."""
        if self._mask:
            self.toggle_class("-masked")

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()


def _has_alpha(path: Path) -> bool:
    try:
        with open_picture(path) as image:
            return has_alpha(image)
    except PictureError:
        return False
