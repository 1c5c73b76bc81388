"""Small controls for a field: one word of several, and yes or no. What is chosen is told by
brackets and words, never by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from ...core.text import printable


class Choice(Widget, can_focus=True):
    """One of ``words``: left and right change it, so does typing a word's first letter. All of them
    are shown where they fit on a line."""

    class Changed(Message):
        """Another word was chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Before", show=False),
        Binding("right,space", "turn(1)", "After", show=False),
        Binding("enter", "app.focus_next", "Next field", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; background: $surface; }
    Choice:focus { background: $surface-lighten-2; }
    """

    def __init__(self, words: Sequence[str], value: str, titles: Sequence[str] = ()) -> None:
        super().__init__()
        self._words = list(words)
        self._titles = list(titles or words)
        self.value = value

    @property
    def value(self) -> str:
        """The chosen word."""
        return self._words[self._at]

    @value.setter
    def value(self, value: str) -> None:
        if value not in self._words:
            # A word that nobody knows stays what it is until another is chosen.
            self._words.append(value)
            self._titles.append(value)
        self._at = self._words.index(value)
        self.refresh()

    def action_turn(self, distance: int) -> None:
        self._take((self._at + distance) % len(self._words))

    def _take(self, at: int) -> None:
        if at != self._at:
            self._at = at
            self.refresh()
            self.post_message(self.Changed(self, self.value))

    def on_key(self, event: events.Key) -> None:
        letter = (event.character or "").lower()
        if not event.is_printable or letter == " ":
            return
        order = [*range(self._at + 1, len(self._words)), *range(self._at + 1)]
        for at in order:
            if self._titles[at].lower().startswith(letter):
                event.stop()
                self._take(at)
                return

    def on_click(self, event: events.Click) -> None:
        place = 0
        if self._all_fit():
            for at, title in enumerate(self._titles):
                width = cell_len(printable(title)) + 2
                if place <= event.x < place + width:
                    self._take(at)
                    return
                place += width
        else:
            self.action_turn(1)

    def render(self) -> Content:
        titles = [printable(title) for title in self._titles]
        if not self._all_fit():
            return Content.assemble(
                ("\u25c2 ", "dim"),
                (titles[self._at], "bold"),
                (" \u25b8", "dim"),
                (self._place, "dim"),
            )
        parts = [
            (f"[{title}]", "bold") if at == self._at else (f" {title} ", "dim")
            for at, title in enumerate(titles)
        ]
        return Content.assemble(*parts)

    @property
    def cells(self) -> int:
        """What it takes at least, where not all of them can be shown."""
        longest = max(cell_len(printable(title)) for title in self._titles)
        return min(self._all_cells, longest + len(f"\u25c2  \u25b8{self._place}"))

    @property
    def _all_cells(self) -> int:
        return sum(cell_len(printable(title)) + 2 for title in self._titles)

    @property
    def _place(self) -> str:
        return f"  {self._at + 1} of {len(self._titles)}"

    def _all_fit(self) -> bool:
        return self._all_cells <= self.size.width


class YesNo(Choice):
    """Yes or no: space turns it over, y and n say it."""

    def __init__(self, value: str) -> None:
        super().__init__(["true", "false"], value, ["yes", "no"])
