"""Text from files on the screen: never markup, never a command to the terminal."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Input, TextArea

from ...core.text import printable


def shown(text: str, style: str = "", *, limit: int | None = None) -> Content:
    """``text`` escaped, as content in which nothing is markup."""
    return Content.styled(printable(text, keep_newlines=True, limit=limit), style)


class SafeInput(Input):
    """A line to type in, whose cursor does not blink: 2 KB/s over SSH for nothing."""

    cursor_blink = reactive(False, init=False)


class SafeTextArea(TextArea):
    """Lines to type in, whose cursor does not blink."""

    cursor_blink = reactive(False, init=False)
