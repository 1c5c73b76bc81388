"""One picture with the caption that is written for it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static, TextArea

from ...core.dataset.caption_files import caption_file
from ...core.dataset.plan import Sample
from .picture import Picture
from .text import SafeTextArea, clipped, shown

_TO_WRITE = "What can be seen, such as: a woman at the beach, orange dress"


class CaptionEditor(SafeTextArea):
    """One caption. Enter goes on to the next picture."""

    class Entered(Message):
        """Enter was pressed."""

    class NothingToUndo(Message):
        """Undo was asked for, and nothing was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Save, next picture", priority=True),
    ]

    def action_enter(self) -> None:
        """Say so."""
        self.post_message(self.Entered())

    def action_undo(self) -> None:
        """What was typed first, then what was saved."""
        if self.history.undo_stack:
            super().action_undo()
        else:
            self.post_message(self.NothingToUndo())


class CaptionedPicture(Horizontal):
    """The picture on the left; on the right what it is, the `editor` of its caption, and what
    training makes of that."""

    DEFAULT_CSS = """
    CaptionedPicture { height: 1fr; }
    CaptionedPicture Picture { width: 30; margin: 0 1 0 0; }
    CaptionedPicture #facts { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    CaptionedPicture #trained { height: auto; max-height: 4; padding: 0 1; }
    CaptionedPicture CaptionEditor { height: 1fr; min-height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.editor = CaptionEditor(compact=True, id="caption", placeholder=_TO_WRITE)

    def compose(self) -> ComposeResult:
        yield Picture()
        with Vertical():
            yield Static("", id="facts", markup=False)
            yield self.editor
            yield Static("", id="trained", markup=False)

    def open(self, sample: Sample, caption: str) -> None:
        """Show another picture, and ``caption`` to edit; that is not told as a change."""
        with self.editor.prevent(TextArea.Changed):
            self.editor.load_text(caption)
        self.editor.move_cursor(self.editor.document.end)
        self.query_one(Picture).show(sample.path)

    def show_facts(self, sample: Sample, place: int, count: int) -> None:
        """Say what the picture is, and that it is at ``place``, from 0, of ``count``."""
        self.query_one("#facts", Static).update(shown(_facts(sample, place, count)))

    def show_trained(self, text: str) -> None:
        """Say what training makes of the caption."""
        said = f"Trained as: {text}" if text else "Trained without words."
        self.query_one("#trained", Static).update(shown(said, limit=400))

    def show_none(self) -> None:
        """Say that no picture is left to show."""
        self.query_one(Picture).show(None)
        self.query_one("#facts", Static).update("No picture has that in its name or caption.")
        self.query_one("#trained", Static).update("")


def _facts(sample: Sample, place: int, count: int) -> str:
    file = caption_file(sample.path)
    kind = "regularization" if sample.is_regularization else "concept"
    said = file.name if file.is_file() else f"no {file.name} yet"
    said = f"{clipped(said, 30)}  F7, m: its mask" if sample.mask else clipped(said, 46)
    return (
        f"{place + 1} of {count}  {sample.width}x{sample.height} -> "
        f"{sample.bucket}  {kind} {clipped(sample.concept, 20)}\n" + said
    )
