"""Numbers of the draft, live: in a row below the fields, or as a column beside them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from ..walk.figures import UNKNOWN, Reading
from .text import shown


class Figures(Static):
    """Some figures. As a row it has no room for what is behind them."""

    DEFAULT_CSS = """
    Figures { height: auto; padding: 0 1; background: $panel; }
    """

    def show(self, figures: Sequence[Reading], *, column: bool) -> None:
        """Show ``figures``."""
        if not column:
            known = [f"{item.label} {item.value}" for item in figures if item.value != UNKNOWN]
            rest = ", ".join(item.label for item in figures if item.value == UNKNOWN)
            known += [f"{rest}: {UNKNOWN}"] if rest else []
            self.update(shown(" · ".join(known)))
            return
        parts: list[Content] = []
        width = max((len(item.label) + 1 for item in figures if item.value), default=0)
        for item in figures:
            parts += [
                shown(f"{item.label:<{width}}", "dim"),
                shown(item.value, "bold"),
                Content("\n"),
            ]
            parts += [shown(f"{item.behind}\n", "dim"), Content("\n")] if item.behind else []
        self.update(Content.assemble(*parts))
