"""Text from files on the screen: never markup, never a command to the terminal."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Input, TextArea

from ...core.text import printable


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


class SafeInput(Input):
    """A line to type in, whose cursor does not blink: 2 KB/s over SSH for nothing. What a terminal
    could obey is a replacement character in it; the value keeps it."""

    cursor_blink = reactive(False, init=False)

    @property
    def _value(self) -> Text:
        text = super()._value
        if not text.plain.isprintable():
            # Of the same length, so that the cursor stays at its character.
            text.plain = "".join(_visible(char) for char in text.plain)
        return text


class SafeTextArea(TextArea):
    """Lines to type in, whose cursor does not blink."""

    cursor_blink = reactive(False, init=False)


def _visible(char: str) -> str:
    return char if printable(char) == char else "\ufffd"
