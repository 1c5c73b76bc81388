"""How the step `captions` looks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import ContentSwitcher, Static

from ...core.config.config_problems import options
from ..widgets.captioned_picture import CaptionedPicture
from ..widgets.form import Form
from ..widgets.text import SafeInput
from .step import StepScreen

_KEYS = "PgUp PgDn move  F3 empty  F4 filter  F5 many  F6 options  F8 tags  ^z undo"

NO_PICTURES = (
    "There are no pictures to write captions for yet.\n"
    "Go back to Dataset (esc) and say where they are."
)


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
        Binding("f8", "tags", "The words of all captions", priority=True, show=False),
        Binding("ctrl+z", "undo", "Undo", show=False),
    ]
    DEFAULT_CSS = """
    CaptionsLayout #one-by-one { height: 1fr; }
    CaptionsLayout.-wide CaptionedPicture Picture { width: 11fr; }
    CaptionsLayout.-wide CaptionedPicture Vertical { width: 9fr; }
    CaptionsLayout #told { height: auto; max-height: 2; padding: 0 1; }
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
        self._pane = CaptionedPicture()
        self._editor = self._pane.editor

    def compose_step(self) -> ComposeResult:
        with ContentSwitcher(initial="nothing"):
            yield Static("Looking for the pictures ...", id="nothing", markup=False)
            with Vertical(id="one-by-one"):
                yield self._pane
                with Horizontal(id="fields"):
                    yield Form([options()["captions.trigger_words"]])
                    with Horizontal(id="filter-field"):
                        yield Static("Filter")
                        yield SafeInput(compact=True, id="filter", placeholder="name or words")
                yield Static("", id="told", markup=False)
                yield Static(_KEYS, id="keys", markup=False)
            yield Form(self.step.options(), id="options")
