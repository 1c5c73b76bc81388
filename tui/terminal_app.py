"""The wizard as a program in a terminal: its colours and messages, how it is told to leave, and
what it says when a mistake of ours ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ScreenStackError
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.events import Resize
from textual.worker import WorkerFailed

from ..core.text import printable
from .crash import report
from .threads import LooseThreads
from .widgets import calm_palette
from .widgets.footer import key_name
from .widgets.themes import FEW_COLOURS, dress
from .widgets.thrift import ThriftyApp, forget_closed_screens

if TYPE_CHECKING:
    from .terminal.capabilities import Capabilities

_LEAST = (80, 24)
_LONGEST_WORD = 600
"""Characters of a notification."""


class TerminalApp(ThriftyApp):
    """Everything of the app that is the same whatever it shows; `show_first` says what that is."""

    TITLE = "lora-wizard"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    CSS = FEW_COLOURS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "explain", "Help", key_display="F1"),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(self, capabilities: Capabilities | None = None) -> None:
        """Without ``capabilities``, pictures are half blocks."""
        super().__init__()
        self.animation_level = "none"
        self.capabilities = capabilities
        self.crash = ""
        """What to say when a mistake of ours has ended the app."""
        self._told_to_leave: Callable[[], object] = lambda: None
        self._is_small = False

    def show_first(self) -> None:
        """Open the first screen."""
        raise NotImplementedError

    def on_mount(self) -> None:
        dress(self)
        forget_closed_screens(self)
        if self.capabilities and self.capabilities.remark:
            self.notify(self.capabilities.remark)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(LooseThreads())
        self._told_to_leave = lambda: loop.call_soon_threadsafe(self.exit)
        self.show_first()

    def notify(self, message: str, *, markup: bool = False, **how: Any) -> None:
        """Say something at the edge of the screen. It may name files: nothing in it is obeyed."""
        said = printable(message, keep_newlines=True, limit=_LONGEST_WORD)
        super().notify(said, markup=False, **how)

    def leave(self) -> None:
        """End the app; for signal handlers and other threads."""
        self._told_to_leave()

    def action_explain(self) -> None:
        """Open the help of the screen."""
        from .screens.explain import explain

        explain(self)

    def action_command_palette(self) -> None:
        calm_palette.open_palette(self)

    def action_change_theme(self) -> None:
        super().action_change_theme()
        self.call_after_refresh(calm_palette.settle, self)

    def get_key_display(self, binding: Binding) -> str:
        return key_name(super().get_key_display(binding))

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        was_small, self._is_small = self._is_small, width < _LEAST[0] or height < _LEAST[1]
        if self._is_small and not was_small:
            said = f"This window is {width}x{height}. Everything fits from 80x24 on; here, scroll."
            self.notify(said, severity="warning")

    def _handle_exception(self, error: Exception) -> None:
        # What comes late, as a worker's answer does, finds no screen or one without its widgets.
        late = error.error if isinstance(error, WorkerFailed) else error
        leaving = self._exit or not self.is_running
        if not (leaving and isinstance(late, (NoMatches, ScreenStackError))):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own way prints hundreds of lines with the values of all variables.
        error = self._exception
        if isinstance(error, WorkerFailed):
            error = error.error
        self.crash = report(error or RuntimeError())
        self._close_messages_no_wait()
