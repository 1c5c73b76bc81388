"""The folders of a dataset, one a row: pictures, sizes, captions, repeats, share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ..walk.dataset import ConceptRow
from .text import clipped

_BAR = 4
_NUMBERS = 61
"""Columns of all but the name."""
_LONGEST = 36


class ConceptTable(Vertical):
    """`ConceptRow`s. On a row, + and - change its repeats, delete leaves it out, and e, or enter
    where there are several, is for its words; the table only says so (`Turned`, `Dropped`,
    `WordsWanted`). Of one folder alone, enter goes on."""

    class Turned(Message):
        """More or fewer repeats are wanted for a row."""

        def __init__(self, row: ConceptRow, by: int) -> None:
            super().__init__()
            self.row = row
            self.by = by

    class Dropped(Message):
        """A row is not to be trained."""

        def __init__(self, row: ConceptRow) -> None:
            super().__init__()
            self.row = row

    class WordsWanted(Message):
        """The words of a row are to be edited."""

        def __init__(self, row: ConceptRow) -> None:
            super().__init__()
            self.row = row

    DEFAULT_CSS = """
    ConceptTable { height: auto; }
    ConceptTable .heads { height: 1; color: $text-muted; }
    ConceptTable OptionList {
        height: auto; max-height: 7; border: none; padding: 0; background: transparent;
    }
    ConceptTable OptionList:focus { border: none; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        yield Static("", classes="heads", markup=False)
        yield _Rows(markup=False, compact=True)

    def show(self, rows: Sequence[ConceptRow]) -> None:
        """Show what was found; the cursor stays in its row."""
        listed = self.query_one(_Rows)
        at, name = listed.highlighted, self._name_width()
        listed.rows = tuple(rows)
        listed.clear_options()
        listed.add_options([Option(_line(row, name)) for row in rows])
        listed.highlighted = min(at, len(rows) - 1) if at is not None and rows else None
        heads = f"{'folder':<{name}} pictures  sizes               captions  repeats  share"
        self.query_one(".heads", Static).update(heads)

    @on(OptionList.OptionSelected)
    def _entered(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        rows = self.query_one(_Rows).rows
        row = rows[event.option_index]
        if len(rows) > 1 and not row.summary.is_regularization:
            self.post_message(self.WordsWanted(row))
        else:
            self.screen.focus_next()

    def on_resize(self) -> None:
        self.show(self.query_one(_Rows).rows)

    def _name_width(self) -> int:
        return max(10, min(_LONGEST, self.size.width - _NUMBERS - 1))


class _Rows(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [
        # In few cells: the footer of 80 columns has Quit and Help, too.
        Binding("plus", "turn(1)", "Repeats", key_display="+ -"),
        Binding("minus", "turn(-1)", "Fewer repeats", show=False),
        Binding("delete", "drop", "Drop", tooltip="Leave it out; its files stay"),
        Binding("e", "words", "Words", tooltip="Its name, trigger words and prompts"),
    ]
    rows: Sequence[ConceptRow] = ()

    def action_turn(self, by: int) -> None:
        row = self._row()
        if row:
            self.post_message(ConceptTable.Turned(row, by))

    def action_drop(self) -> None:
        row = self._row()
        if row:
            self.post_message(ConceptTable.Dropped(row))

    def action_words(self) -> None:
        row = self._row()
        if row and not row.summary.is_regularization:
            self.post_message(ConceptTable.WordsWanted(row))

    def on_focus(self) -> None:
        if self.highlighted is None and self.rows:
            self.highlighted = 0

    def _row(self) -> ConceptRow | None:
        return self.rows[self.highlighted] if self.highlighted is not None else None


def _line(row: ConceptRow, width: int) -> Content:
    item = row.summary
    name = clipped(item.name, width)
    name += " " * (width - cell_len(name))
    captions = f"{item.captions}/{item.images}"
    share = "class" if item.is_regularization else f"{_bar(item.share)} {item.share:4.0%}"
    return Content(
        f"{name} {item.images:>8}  {row.sizes:<19} {captions:>8} {item.repeats:>8}  {share}"
    )


def _bar(share: float) -> str:
    full = round(share * _BAR)
    return "\u2588" * full + "\u2591" * (_BAR - full)
