"""A captioning that goes on: how far it is, the newest picture beside its words, and the last
ones in a list."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from ...core.run.tasks import TaskDirectory
from ..walk.caption_news import CaptionNews, NewCaption
from ..walk.task_watch import TaskNews
from .long_list import Cell, LongList
from .task_pane import TaskPane
from .text import shown

_NAME_CELLS = 26
_PICTURE_SECONDS = 2.0
"""How long a picture stays at least while others come: each is 10 KB and more for the line."""
_MOST_SAID = {"-narrow": 3, "-wide": 6}
"""Lines about what went wrong, by the screen's width."""


class CaptioningPane(Vertical):
    """Follows the job once `follow` is called. Where the cursor of the list is not on the newest
    caption, the picture stays that of the cursor."""

    class Heard(Message):
        """There is something new; the last of them has `TaskNews.is_over`."""

        def __init__(self, news: TaskNews) -> None:
            super().__init__()
            self.news = news

    DEFAULT_CSS = """
    CaptioningPane { height: 1fr; padding: 0 1; }
    CaptioningPane TaskPane { height: 1fr; layout: horizontal; }
    CaptioningPane TaskPane #task-line { dock: top; padding: 0 0 1 0; }
    CaptioningPane TaskPane Picture { width: 3fr; }
    CaptioningPane TaskPane #task-text {
        width: 2fr; height: 100%; max-height: 100%; padding: 0 0 0 2;
    }
    CaptioningPane #found-head { height: 1; color: $text-muted; margin: 1 0 0 0; }
    CaptioningPane LongList { height: 12; }
    CaptioningPane #notes { height: auto; max-height: 6; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.heard: CaptionNews | None = None
        """What was heard so far; None before `follow`."""
        self._before = ""
        self._place = 0
        self._is_behind, self._pictured = False, 0.0

    def compose(self) -> ComposeResult:
        yield TaskPane()
        yield Static("", id="found-head", markup=False)
        yield LongList(self._line, id="found")
        yield Static("", id="notes", markup=False)

    def follow(
        self,
        directory: TaskDirectory,
        root: Path,
        *,
        before: str = "",
        is_beginning: Callable[[], bool] = bool,
    ) -> None:
        """Watch the job about ``root`` from its beginning, as soon as it is no longer
        ``is_beginning``; ``before`` stands before its line."""
        self.clear(root, before)
        self.query_one(TaskPane).follow(directory, is_beginning)

    def clear(self, root: Path, before: str = "") -> None:
        """Nothing was heard yet."""
        self.heard, self._before, self._place = CaptionNews(root), before, 0
        self._is_behind, self._pictured = False, 0.0
        self.query_one(LongList).show(0)
        pane = self.query_one(TaskPane)
        pane.add_class("-empty")
        pane.say(f"{before}{self.heard.line()}")
        self._say_notes()

    def say(self, text: str) -> None:
        """The line."""
        self.query_one(TaskPane).say(text)

    def hear(self, news: TaskNews) -> None:
        """Show what is new."""
        if self.heard is None:
            return
        new = self.heard.hear(news)
        self.say(f"{self._before}{self.heard.line()}")
        if new:
            self._show_found(new)
        now = time.monotonic()
        if self._is_behind and (news.is_over or now - self._pictured >= _PICTURE_SECONDS):
            self._pictured = now
            self._show_picture()
        self._say_notes()

    @on(TaskPane.News)
    def _told(self, event: TaskPane.News) -> None:
        event.stop()
        self.hear(event.news)
        self.post_message(self.Heard(event.news))

    @on(LongList.Moved)
    def _moved(self, event: LongList.Moved) -> None:
        event.stop()
        # Otherwise the list only has more lines.
        if event.index != self._place:
            self._place = event.index
            self._show_picture()

    def _show_found(self, new: int) -> None:
        assert self.heard is not None
        found = self.heard.captions
        self._place = min(self._place + new, len(found) - 1) if self._place else 0
        self.query_one(LongList).show(len(found), cursor=self._place)
        total = f"the last {len(found)}" if len(found) == found.maxlen else f"{len(found)}"
        self.query_one("#found-head", Static).update(f"  Captions, the newest first ({total})")
        self._is_behind = True

    def _show_picture(self) -> None:
        found = self.heard.captions if self.heard else ()
        if self._place >= len(found):
            return
        self._is_behind = False
        caption: NewCaption = found[self._place]
        self.query_one(TaskPane).show(caption.picture, caption.text)

    def _say_notes(self) -> None:
        assert self.heard is not None
        most = next((count for name, count in _MOST_SAID.items() if self.screen.has_class(name)), 3)
        lines = [shown(line.replace("\n", " "), limit=300) for line in self.heard.said(most)]
        notes = self.query_one("#notes", Static)
        notes.display = bool(lines)
        notes.update(shown("\n").join(lines))

    def _line(self, index: int) -> Sequence[Cell]:
        found = self.heard.captions if self.heard else ()
        if index >= len(found):
            return [("", 0, "")]
        caption = found[index]
        # The first cell takes what the others leave.
        return [(caption.picture.name, 0, ""), (caption.text, self._text_cells, "dim")]

    @property
    def _text_cells(self) -> int:
        return max(10, self.query_one(LongList).size.width - _NAME_CELLS)
