"""The end of a log that is being written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.widgets import Log

from ..walk.watching import LOG_LINES

_DAY = re.compile(r"^\d{4}-\d\d-\d\d (?=\d\d:)")
"""The time alone is enough beside a run that goes on."""


class LogView(Log):
    """Lines that are safe to show, the newest at the bottom until somebody scrolls up; of very many
    the last ones."""

    DEFAULT_CSS = """
    LogView { scrollbar-size: 0 0; background: transparent; color: $text-muted; }
    LogView.-alone { scrollbar-size: 1 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(max_lines=LOG_LINES, id=id)
        self.can_focus = False
        self._at_end = True

    def add(self, lines: Sequence[str]) -> None:
        """Append lines; one repaint for all of them."""
        if lines:
            self.write_lines([_DAY.sub("", line) for line in lines])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._at_end = self.is_vertical_scroll_end

    def on_resize(self) -> None:
        """Whoever saw the newest line sees it still when there is less room."""
        if self._at_end:
            self.scroll_end(animate=False)
