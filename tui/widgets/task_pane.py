"""A job that trains nothing, on the screen: how far it is, and what it has just made."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from ...core.errors import WizardError
from ...core.run.tasks import TaskDirectory
from ..walk.task_watch import TaskNews, TaskWatch
from .picture import Picture
from .text import shown

_GLANCE = 0.5


class TaskPane(Vertical):
    """A line for how far it is, the newest picture, and a text to it. Read in a thread; nothing is
    read any more, and nothing painted, when the job has ended."""

    DEFAULT_CSS = """
    TaskPane { height: auto; }
    TaskPane #task-line { height: auto; }
    TaskPane #task-text { height: auto; max-height: 4; }
    TaskPane Picture { height: 1fr; min-height: 6; }
    TaskPane.-empty Picture, TaskPane.-empty #task-text { display: none; }
    """

    class News(Message):
        """There is something new; the last of them has `TaskNews.is_over`."""

        def __init__(self, pane: TaskPane, news: TaskNews) -> None:
            super().__init__()
            self.pane = pane
            self.news = news

        @property
        def control(self) -> TaskPane:
            return self.pane

    class Gone(Message):
        """There is no record of the task that could be read."""

        def __init__(self, pane: TaskPane) -> None:
            super().__init__()
            self.pane = pane

    def compose(self) -> ComposeResult:
        self.add_class("-empty")
        yield Static("", id="task-line", markup=False)
        yield Picture()
        yield Static("", id="task-text", markup=False)

    def follow(self, directory: TaskDirectory, is_beginning: Callable[[], bool] = bool) -> None:
        """Watch this task from its beginning, as soon as it is no longer ``is_beginning``."""
        self._follow(TaskWatch(directory), is_beginning)

    def say(self, text: str) -> None:
        """The line."""
        self.query_one("#task-line", Static).update(shown(text))

    def show(self, picture: Path, text: str = "") -> None:
        """The newest of what it made."""
        self.remove_class("-empty")
        self.query_one(Picture).show(picture)
        self.query_one("#task-text", Static).update(shown(text, limit=600))

    @work(thread=True, exclusive=True, group="task")
    def _follow(self, watch: TaskWatch, is_beginning: Callable[[], bool]) -> None:
        worker, said = get_current_worker(), ""
        while is_beginning() and not worker.is_cancelled:
            time.sleep(_GLANCE)
        while not worker.is_cancelled:
            try:
                news = watch.read()
            except WizardError:
                # Its folder is being made, or was taken away: there is nothing to tell.
                self.post_message(self.Gone(self))
                return
            if news.events or news.is_over or news.in_words() != said:
                said = news.in_words()
                self.post_message(self.News(self, news))
            if news.is_over:
                return
            time.sleep(_GLANCE)
