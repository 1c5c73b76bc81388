"""A TOML to read, in colours that only help: every sign is there without them."""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from ...core.text import printable

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r'|(?P<string>"""(?:[^\\]|\\.)*?"""|' + r"'''.*?'''" + r'|"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*')"
    r"|(?P<header>^[ \t]*\[\[?[\w.\"' -]+\]\]?)"
    r"|(?P<key>^[ \t]*[\w.-]+(?=[ \t]*=))"
    r"|(?P<word>\b(?:true|false)\b)"
    r"|(?P<number>(?<![\w.])[+-]?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))",
    re.MULTILINE | re.DOTALL,
)
_STYLES = {
    "comment": "dim italic",
    "string": "$text-success",
    "header": "bold $text-primary",
    "key": "$text-primary",
    "word": "$text-warning",
    "number": "$text-warning",
}


class TomlView(VerticalScroll):
    """Shows a TOML; the keys of a pager move in it."""

    DEFAULT_CSS = """
    TomlView { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; border-left: tall $panel; }
    TomlView:focus { border-left: tall $primary; }
    """

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def show(self, text: str) -> None:
        """Show ``text``."""
        self.query_one(Static).update(highlighted(text))


def highlighted(text: str) -> Content:
    """``text`` in colours, whatever is in it escaped."""
    safe = printable(text.replace("\r\n", "\n").expandtabs(4), keep_newlines=True)
    parts: list[Content] = []
    at = 0
    for token in _TOKEN.finditer(safe):
        parts.append(Content(safe[at : token.start()]))
        parts.append(Content.styled(token[0], _STYLES[token.lastgroup or ""]))
        at = token.end()
    return Content("").join([*parts, Content(safe[at:])])
