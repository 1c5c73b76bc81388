"""Lines of which few change at a time."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static


class Lines(Widget):
    """Lines that fit their room; only those that have changed are painted anew."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Content] = []

    def show(self, content: Content) -> None:
        """Show these lines."""
        before, self._lines = self._lines, content.split("\n", allow_blank=True)
        if len(before) != len(self._lines):
            self.refresh(layout=True)
            return
        changed = [
            Region(0, y, self.content_size.width, 1)
            for y, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if not old.is_same(new)
        ]
        if changed:
            self.refresh(*changed)

    def render(self) -> Content:
        """The lines one below the other."""
        return Content("\n").join(self._lines)


def say(where: Static, words: Content | str) -> None:
    """Show ``words`` in ``where``; where they stand already, nothing is painted."""
    content = words if isinstance(words, Content) else Content(words)
    before = where.content
    if not (isinstance(before, Content) and before.is_same(content)):
        where.update(content)
