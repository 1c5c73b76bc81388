"""The screen for crops by itself, for the command that makes the copies afterwards."""

from __future__ import annotations

from ...core.resize.order import Order
from ..terminal.capabilities import Capabilities
from ..terminal_app import TerminalApp
from .crops import CropScreen


class CropApp(TerminalApp):
    """Ends when the screen is left; ``is_done`` says that the person left it, and did not quit."""

    def __init__(self, order: Order, capabilities: Capabilities | None = None) -> None:
        super().__init__(capabilities)
        self.is_done = False
        self._order = order

    def show_first(self) -> None:
        """Open the screen."""
        screen = CropScreen(self._order, is_for_command=True)
        self.push_screen(screen, lambda _: self._finish())

    def _finish(self) -> None:
        self.is_done = True
        self.exit()
