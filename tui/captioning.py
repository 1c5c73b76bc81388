"""How a captioning job is told of in the terminal: the captions as they come, and how it ended."""

from __future__ import annotations

import shlex
import sys
from collections import deque
from pathlib import Path
from typing import Any

from ..core.dataset.layout_words import counted
from ..core.run.directory import RunDirectory
from ..core.run.events import Event
from ..core.run.status import Figures, RunStatus, integer, number
from ..core.text import printable
from .follow import Words
from .terminal import redraws
from .views import JsonView, PlainView, TerminalView, View, duration

_RECENT = 50


class CaptioningWords(Words):
    """Of captioning the pictures at ``place``, which is what the person typed."""

    def __init__(self, place: Path | str) -> None:
        self.command = printable(f"lora-wizard caption {shlex.quote(str(place))}")
        self.outcome: Event = {}

    def view(self, as_json: bool) -> View:
        if as_json:
            return JsonView()
        return _OnTerminal(self) if redraws(sys.stdout) else _InLines(self)

    def detached(self, directory: RunDirectory) -> str:
        return f"The pictures are captioned by a process of its own.\n{self.ways(directory)}"

    def left(self, directory: RunDirectory) -> str:
        return f"No longer watching; the captioning goes on.\n{self.ways(directory)}"

    def ways(self, directory: RunDirectory) -> str:
        return f"  watch:  {self.command} --watch\n  stop:   {self.command} --stop\n"

    def again(self, directory: RunDirectory) -> str:
        return printable(directory.again())

    def ended(self, status: RunStatus, directory: RunDirectory) -> str:
        outcome = f"{outcome_text(self.outcome)} " if self.outcome else ""
        written = self.outcome.get("written")
        undo = f"\nTake it back: {self.command} --undo" if written else ""
        if status.state == "finished":
            return f"{outcome.strip()}{undo}"
        waiting = integer(self.outcome.get("waiting"))
        rest = f"{counted(waiting, 'picture')} to go. " if waiting else ""
        again = f"Go on with it: {self.again(directory)}"
        return f"Stopped. {outcome}{rest}".strip() + f"\n{again}{undo}"

    def hear(self, event: Event) -> str:
        """The line of a caption that was found; empty for other events."""
        if event["kind"] == "captions":
            self.outcome = event
        if event["kind"] != "captioned":
            return ""
        return printable(f"{event.get('picture', '')}: {event.get('text', '')}", limit=1000)


def outcome_text(outcome: dict[str, Any]) -> str:
    """The figures of an event ``captions``, in sentences."""
    written, kept, left = (integer(outcome.get(name)) or 0 for name in ("written", "kept", "left"))
    sentences = [f"{counted(written, 'caption')} written."]
    if same := integer(outcome.get("same")):
        sentences.append(f"{counted(same, 'picture')} had {'it' if same == 1 else 'them'} already.")
    if kept:
        sentences.append(f"{counted(kept, 'picture')} kept {'its' if kept == 1 else 'their'} own.")
    if left:
        sentences.append(
            f"{counted(left, 'picture')} left as {'it was' if left == 1 else 'they were'}."
        )
    return " ".join(sentences)


class _InLines(PlainView):
    def __init__(self, words: CaptioningWords) -> None:
        super().__init__()
        self._words = words

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        if caption := self._words.hear(event):
            self._say(caption)
        else:
            super().event(event, line, figures)


class _OnTerminal(TerminalView):
    def __init__(self, words: CaptioningWords) -> None:
        super().__init__()
        self._words = words
        self._times: deque[float] = deque(maxlen=_RECENT)

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        from rich.text import Text

        super().event(event, line, figures)
        if caption := self._words.hear(event):
            self._live.console.print(Text(caption))
            self._times.append(number(event.get("time")) or 0.0)

    def details(self, figures: Figures) -> list[str]:
        if len(self._times) < 2 or (span := self._times[-1] - self._times[0]) <= 0:
            return []
        rate = (len(self._times) - 1) / span
        words = [f"{rate:.1f} pictures/s" if rate >= 1 else f"{1 / rate:.1f} s a picture"]
        if figures.phase_total and figures.done is not None:
            words.append(f"{duration((figures.phase_total - figures.done) / rate)} left")
        return words
