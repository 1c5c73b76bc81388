"""How the screen of the captioners looks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Static

from ...core.dataset.caption_files import Mode, Outcome
from ..walk import captioning
from ..widgets.captioning_pane import CaptioningPane
from ..widgets.controls import Choice
from ..widgets.footer import Footer
from ..widgets.long_list import Cell, LongList
from ..widgets.thrift import fit

if TYPE_CHECKING:
    from ..app import WizardApp


class WriteCaptionsLayout(Screen[Outcome | None]):
    """Two views: what is to be done (``-asking``), and how it goes or has gone (``-watching``,
    with ``-live`` while it goes on)."""

    app: WizardApp
    HELP = captioning.ABOUT
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", tooltip="Back; a captioning that goes on goes on"),
        Binding("f2", "start", "Start", tooltip="Caption, or go on where it was stopped"),
        Binding("f3", "stop", "Stop", tooltip="End it; what was found is written"),
        Binding("f4", "turn", "Settings", tooltip="Between the settings and the captions"),
        Binding("f6", "copy_command", "Copy command", tooltip="The command that brings it"),
        Binding("f7", "enlarge", "Enlarge", show=False),
        Binding("ctrl+z", "undo", "Undo", tooltip="Bring back what the last captioning replaced"),
        # At once, as in every form: what is typed right behind belongs to the next field.
        Binding("enter", "leave_field", "Next field", show=False, priority=True),
        Binding("enter,down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]
    DEFAULT_CSS = """
    WriteCaptionsLayout #title { text-style: bold; padding: 0 1; height: 1; color: $primary; }
    WriteCaptionsLayout #asking { height: 1fr; }
    WriteCaptionsLayout #watching { display: none; }
    WriteCaptionsLayout.-watching #asking { display: none; }
    WriteCaptionsLayout.-watching #watching { display: block; }
    WriteCaptionsLayout #captioners { height: 1; scrollbar-size-vertical: 0; }
    WriteCaptionsLayout #captioners:focus { height: 8; }
    WriteCaptionsLayout #about { height: auto; max-height: 4; padding: 0 1 0 2; }
    WriteCaptionsLayout #for { height: 1; margin: 1 0 0 0; }
    WriteCaptionsLayout #for Static { width: 26; padding: 0 1; }
    WriteCaptionsLayout #options { height: 1fr; scrollbar-size-vertical: 1; }
    WriteCaptionsLayout #options.-few { height: auto; }
    WriteCaptionsLayout #preview { height: 1fr; border: round $panel; display: none; }
    WriteCaptionsLayout.-light #preview { display: block; }
    WriteCaptionsLayout #said { height: auto; max-height: 5; padding: 0 1; }
    WriteCaptionsLayout #help { height: 3; padding: 0 1; color: $text-muted; }
    WriteCaptionsLayout.-watching #help { display: none; }
    WriteCaptionsLayout #told { height: auto; max-height: 2; padding: 0 1; text-style: bold; }
    WriteCaptionsLayout #buttons { height: 1; padding: 0 1; }
    WriteCaptionsLayout #buttons Button { min-width: 10; margin: 0 1 0 0; }
    WriteCaptionsLayout.-wide #asking { layout: horizontal; padding: 1 0 0 0; }
    WriteCaptionsLayout.-wide #left { width: 44; height: 1fr; padding: 0 1 0 0; }
    WriteCaptionsLayout.-narrow #left { height: auto; }
    WriteCaptionsLayout #right { height: 1fr; }
    WriteCaptionsLayout.-wide #captioners { height: 10; }
    WriteCaptionsLayout.-narrow.-choosing #help { height: 1; }
    WriteCaptionsLayout.-narrow #found { display: none; }
    WriteCaptionsLayout.-narrow #found-head { display: none; }
    WriteCaptionsLayout.-wide #watching Picture { width: 1fr; }
    WriteCaptionsLayout.-wide #watching #task-text { width: 1fr; }
    WriteCaptionsLayout.-wide #about { max-height: 12; }
    WriteCaptionsLayout.-wide #for { margin: 0 0 1 0; }
    WriteCaptionsLayout.-wide #options { height: auto; max-height: 22; }
    WriteCaptionsLayout.-wide #said { max-height: 8; margin: 1 0 0 0; }
    """

    def compose(self) -> ComposeResult:
        fit(self)
        modes = dict(captioning.MODES)
        yield Static("Captions for many pictures", id="title", markup=False)
        with Vertical(id="asking"):
            with Vertical(id="left"):
                yield LongList(self.captioner_line, id="captioners")
                yield Static("", id="about", markup=False)
            with Vertical(id="right"):
                with Horizontal(id="for"):
                    yield Static("For", markup=False)
                    yield Choice(list(modes), self.chosen_mode, list(modes.values()))
                yield VerticalScroll(id="options", can_focus=False)
                with VerticalScroll(id="preview"):
                    yield Static("", id="proposed", markup=False)
                yield Static("", id="said", markup=False)
        yield CaptioningPane(id="watching")
        yield Static("", id="help", markup=False)
        yield Static("", id="told", markup=False)
        with Horizontal(id="buttons"):
            yield Button("Back", id="leave", compact=True)
            yield Button("Start", id="start", variant="primary", compact=True)
            yield Button("Stop", id="stop", compact=True)
            yield Button("Settings", id="turn", compact=True)
            yield Button("Undo", id="undo", compact=True)
        yield Footer()

    def action_leave_field(self) -> None:
        """To the next field: an input would keep enter to itself."""
        self.focus_next()

    @property
    @abstractmethod
    def chosen_mode(self) -> Mode:
        """What becomes of captions that are there."""

    @abstractmethod
    def captioner_line(self, index: int) -> Sequence[Cell]:
        """A line of the list of captioners."""
