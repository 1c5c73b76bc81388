"""What a captioning job has said so far, for whoever watches it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.dataset.layout_words import counted
from ...core.run.events import Event
from ...core.run.status import integer
from ..captioning import outcome_text
from .task_watch import TaskNews

MOST_KEPT = 500
"""Captions, and pictures that were left out."""
_LEFT = "left: "


@dataclass(frozen=True, slots=True)
class NewCaption:
    """What was found for a picture; not yet safe to show."""

    picture: Path
    text: str


@dataclass
class CaptionNews:
    """Built from one `TaskNews` after the other, in flat memory."""

    root: Path
    """The folder that the pictures' names are relative to."""
    captions: deque[NewCaption] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))
    """The newest first."""
    left: list[str] = field(default_factory=list)
    """Pictures without, each with the reason."""
    notices: list[str] = field(default_factory=list)
    """What else is worth knowing, such as a smaller batch."""
    outcome: Event = field(default_factory=dict)
    """The event ``captions``; empty before the end."""
    last: TaskNews | None = None

    def hear(self, news: TaskNews) -> int:
        """Take it into account; how many captions are new."""
        self.last = news
        found = [event for event in news.events if event["kind"] == "captioned"]
        for event in found[-MOST_KEPT:]:
            picture = self.root / str(event.get("picture", ""))
            self.captions.appendleft(NewCaption(picture, str(event.get("text", ""))))
        for event in news.events:
            if event["kind"] == "problem":
                self._hear_problem(event)
            elif event["kind"] == "captions":
                self.outcome = event
        return len(found)

    def _hear_problem(self, event: Event) -> None:
        message = str(event.get("message", ""))
        if message.startswith(_LEFT):
            if len(self.left) < MOST_KEPT:
                self.left.append(f"{event.get('where', '')}: {message.removeprefix(_LEFT)}")
        elif message not in self.notices:
            self.notices = [*self.notices, message][-3:]

    def line(self) -> str:
        """How far it is, or how it has ended; not yet safe to show."""
        news = self.last
        if news is None:
            return "starting ..."
        if not news.is_over:
            return f"{news.in_words()}{self._speed(news)}"
        return "\n".join(self._end(news))

    def _speed(self, news: TaskNews) -> str:
        if news.per_second is None or news.status.phase != "caption":
            return ""
        rate = news.per_second
        return f", {rate:.1f} pictures/s" if rate >= 1 else f", {1 / rate:.1f} s a picture"

    def _end(self, news: TaskNews) -> list[str]:
        done = outcome_text(self.outcome) if self.outcome else ""
        if news.status.state == "finished":
            return [f"✓ Done. {done}".strip()]
        waiting = integer(self.outcome.get("waiting"))
        rest = f"{counted(waiting, 'picture')} to go." if waiting else ""
        if news.status.state == "failed":
            error = news.status.error or {}
            parts = [error.get(name, "") for name in ("title", "message", "remedy")]
            title, *more = [part for part in parts if part] or ["It failed."]
            return [f"✗ {title}", *more, f"{done} {rest}".strip()]
        if news.status.state == "stopped":
            return [f"Stopped. {done} {rest}".strip()]
        return ["✗ It was ended from outside. What was found is kept; going on writes it."]

    def said(self, most: int) -> Sequence[str]:
        """Notices and pictures without a caption, at most so many lines, the newest of them."""
        lines = [f"i {notice}" for notice in self.notices]
        room = max(1, most - len(lines))
        left = self.left if len(self.left) <= room else self.left[: room - 1]
        lines += [f"! {line}" for line in left]
        if len(left) < len(self.left):
            lines.append(f"! and {len(self.left) - len(left)} more without a caption")
        return lines
