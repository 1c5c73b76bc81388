"""A list of things of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Rows(OptionList):
    """One line each, or more with ``wrap``. Beyond its ends the arrows go on to the next list of
    the screen."""

    DEFAULT_CSS = """
    Rows { height: auto; border: none; padding: 0; background: transparent; }
    Rows:focus { border: none; background: transparent; }
    Rows > .option-list--option-highlighted {
        background: transparent; color: $foreground; text-style: none;
    }
    Rows:focus > .option-list--option-highlighted {
        background: $block-cursor-background; color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }
    Rows.-lines { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, id: str, *, wrap: bool = False) -> None:
        classes = "" if wrap else "-lines"
        super().__init__(id=id, classes=classes, markup=False, compact=True)

    def show(self, rows: Sequence[Content]) -> None:
        """Show ``rows``, and keep the highlight and the scroll where they are."""
        if len(rows) == self.option_count:
            for place, row in enumerate(rows):
                if self.options[place].prompt != row:
                    self.replace_option_prompt_at_index(place, row)
            return
        highlighted, offset = self.highlighted, self.scroll_offset
        self.clear_options()
        self.add_options(Option(row) for row in rows)
        if rows and highlighted is not None:
            self.highlighted = min(highlighted, len(rows) - 1)
            self.scroll_to(y=offset.y, animate=False)
        elif self.has_focus:
            self.on_focus()

    def on_focus(self) -> None:
        if self.highlighted is None and self.option_count:
            self.highlighted = 0

    def action_select(self) -> None:
        # Enter may come before the focus is told of.
        self.on_focus()
        super().action_select()

    def action_cursor_down(self) -> None:
        if self.highlighted is not None and self.highlighted >= self.option_count - 1:
            self._go_on(1)
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        if not self.highlighted:
            self._go_on(-1)
        else:
            super().action_cursor_up()

    def _go_on(self, distance: int) -> None:
        others = [rows for rows in self.screen.query(Rows) if rows.focusable and rows.option_count]
        place = others.index(self) + distance
        if 0 <= place < len(others):
            others[place].highlighted = 0 if distance > 0 else others[place].option_count - 1
            others[place].focus()
