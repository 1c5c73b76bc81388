"""How the step `captions` looks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from ...core.config.config_problems import options
from ..widgets.form import Form
from ..widgets.picture import Picture
from ..widgets.text import SafeInput, SafeTextArea
from .step import StepScreen

_TO_WRITE = "What can be seen, such as: a woman at the beach, orange dress"
_KEYS = "PgUp PgDn move  F3 no caption  F4 filter  F5 many  F6 options  ^z undo"


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


class CaptionsLayout(StepScreen):
    """The picture on the left, its caption on the right, and what is for all of them below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Named in a line of their own: the footer has no room for them on 80 columns.
        Binding("ctrl+down,pagedown", "move(1)", "Next picture", priority=True, show=False),
        Binding("ctrl+up,pageup", "move(-1)", "Picture before", priority=True, show=False),
        Binding("f3", "next_without", "Next without caption", priority=True, show=False),
        Binding("f4", "find", "Filter", priority=True, show=False),
        Binding("f5", "write", "Write many captions", priority=True, show=False),
        Binding("f6", "options", "Options of all captions", priority=True, show=False),
        Binding("f7", "enlarge", "Enlarge the picture", priority=True, show=False),
        Binding("ctrl+z", "undo", "Undo", show=False),
    ]
    DEFAULT_CSS = """
    CaptionsLayout #one-by-one { height: 1fr; }
    CaptionsLayout #beside { height: 1fr; }
    CaptionsLayout #beside Picture { width: 30; margin: 0 1 0 0; }
    CaptionsLayout.-wide #beside Picture { width: 11fr; }
    CaptionsLayout.-wide #beside Vertical { width: 9fr; }
    CaptionsLayout #facts, CaptionsLayout #told { height: auto; max-height: 2; padding: 0 1; }
    CaptionsLayout #facts { color: $text-muted; }
    CaptionsLayout #trained { height: auto; max-height: 4; padding: 0 1; }
    CaptionsLayout CaptionEditor { height: 1fr; min-height: 3; }
    CaptionsLayout #keys { height: 1; padding: 0 1; color: $text-muted; }
    CaptionsLayout #fields { height: auto; }
    CaptionsLayout #fields .field-label { width: 16; }
    CaptionsLayout #fields Form { width: 3fr; height: auto; max-height: 3; }
    CaptionsLayout #filter-field { width: 2fr; height: 1; margin: 0 0 0 2; }
    CaptionsLayout #filter-field Static { width: 8; }
    CaptionsLayout #filter { width: 1fr; }
    CaptionsLayout.-one-by-one FieldHelp { display: none; }
    CaptionsLayout #nothing { padding: 1 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._editor = CaptionEditor(compact=True, id="caption", placeholder=_TO_WRITE)

    def compose_step(self) -> ComposeResult:
        with ContentSwitcher(initial="nothing"):
            yield Static("Looking for the pictures ...", id="nothing", markup=False)
            with Vertical(id="one-by-one"):
                with Horizontal(id="beside"):
                    yield Picture()
                    with Vertical():
                        yield Static("", id="facts", markup=False)
                        yield self._editor
                        yield Static("", id="trained", markup=False)
                with Horizontal(id="fields"):
                    yield Form([options()["captions.trigger_words"]])
                    with Horizontal(id="filter-field"):
                        yield Static("Filter")
                        yield SafeInput(compact=True, id="filter", placeholder="name or words")
                yield Static("", id="told", markup=False)
                yield Static(_KEYS, id="keys", markup=False)
            yield Form(self.step.options(), id="options")
