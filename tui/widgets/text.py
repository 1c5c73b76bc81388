"""Text from files on the screen: never markup, never a command to the terminal."""

from __future__ import annotations

from typing import overload
from unicodedata import category

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.text import Text
from textual.content import Content
from textual.document._document import Document
from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.events import Paste
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Input, TextArea

from ...core.text import printable, with_stand_ins

TAB = "\N{SYMBOL FOR HORIZONTAL TABULATION}"


def shown(text: str, style: str = "", *, limit: int | None = None) -> Content:
    """``text`` escaped, as content in which nothing is markup."""
    return Content.styled(printable(text, keep_newlines=True, limit=limit), style)


def clipped(text: str, cells: int) -> str:
    """``text`` escaped and, with an ellipsis, no wider than ``cells`` characters of the terminal;
    Chinese ones are two wide, and combining ones none."""
    safe = printable(text)
    if cell_len(safe) <= cells:
        return safe
    return set_cell_size(safe, max(0, cells - 1)).rstrip() + "…" if cells > 0 else ""


def typed(text: str) -> str:
    """What of a paste goes into a field: all but control characters, which no keyboard types."""
    return "".join(char for char in text if char in "\n\t" or category(char) not in ("Cc", "Cs"))


class SafeInput(Input):
    """A line to type in, whose cursor does not blink: 2 KB/s over SSH for nothing.

    The value may be any text; what a terminal could obey is drawn as one visible character each.
    """

    cursor_blink = reactive(False, init=False)

    @property
    def _value(self) -> Text:
        if self.password:
            return super()._value
        shown = with_stand_ins(self.value).replace("\t", TAB)
        text = Text(shown, no_wrap=True, overflow="ignore", end="")
        return self.highlighter(text) if self.highlighter else text

    def _position_to_cell(self, position: int) -> int:
        return self._value[:position].cell_len

    def _cell_offset_to_index(self, offset: int) -> int:
        cells, wanted = 0, offset + self.scroll_offset.x
        for index, char in enumerate(self._value.plain):
            cells += cell_len(char)
            if wanted < cells:
                return index
        return len(self.value)

    def render_line(self, y: int) -> Strip:
        """The line, and what completes it, which may come from a file's name."""
        return _drawn_safely(super().render_line(y))

    def _on_paste(self, event: Paste) -> None:
        # Textual goes on with its own handler, and takes the first line.
        event.text = typed(event.text)


class SafeDocument(Document):
    """A text that is edited as it is, and shown with stand-ins of the same length."""

    @property
    def lines(self) -> list[str]:
        """The lines as they are shown."""
        return [with_stand_ins(line) for line in self._lines]

    def get_line(self, index: int) -> str:
        """A line as it is shown."""
        return with_stand_ins(self._lines[index])

    def get_size(self, tab_width: int) -> Size:
        """(widest line, number of lines), in characters of the terminal."""
        widths = (cell_len(line.expandtabs(tab_width)) for line in self.lines)
        return Size(max(widths, default=0), len(self._lines))

    @overload
    def __getitem__(self, line_index: int) -> str: ...
    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...
    def __getitem__(self, line_index: int | slice) -> str | list[str]:
        if isinstance(line_index, slice):
            return [with_stand_ins(line) for line in self._lines[line_index]]
        return with_stand_ins(self._lines[line_index])


class SafeTextArea(TextArea):
    """Lines to type in, whose cursor does not blink; otherwise as `SafeInput`."""

    cursor_blink = reactive(False, init=False)

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(text, language)
        if type(self.document) is Document:
            self.document = SafeDocument(text)
            self.wrapped_document = WrappedDocument(self.document, tab_width=self.indent_width)
            self.navigator = DocumentNavigator(self.wrapped_document)
            self._rewrap_and_refresh_virtual_size()

    def render_line(self, y: int) -> Strip:
        """A line of what is in sight."""
        return _drawn_safely(super().render_line(y))

    async def _on_paste(self, event: Paste) -> None:
        event.text = typed(event.text)


def _drawn_safely(strip: Strip) -> Strip:
    """The last look at what goes to the terminal: also a placeholder or a completion."""
    if all(with_stand_ins(segment.text) == segment.text for segment in strip):
        return strip
    return Strip([Segment(with_stand_ins(text), style) for text, style, _ in strip])
