"""The sample pictures of a run through time: what a prompt gave before the first step beside what
it gives now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from ...core.run.history import SampleMark
from ..screens.large_picture import LargePicture
from .picture import Picture
from .text import clipped

_NONE = "No sample pictures yet. They are drawn at the end of an epoch, or with g."
_KEYS = ("  ←→ epochs", "  ↑↓ prompts", "  v large")
_ROOM_FOR_STEP = 70
_NO_LATER = "The next picture of this prompt will stand here."


class SamplePanel(Vertical):
    """One prompt's first picture, and the picture of a later step, both with the same seed. Shows
    the newest until somebody moves through time."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Earlier pictures", show=False),
        Binding("right", "move(1)", "Later pictures", show=False),
        Binding("end", "follow", "Newest pictures", show=False),
        Binding("up", "prompt(-1)", "Prompt before", show=False),
        Binding("down", "prompt(1)", "Next prompt", show=False),
        Binding("v", "enlarge", "Large picture", show=False),
    ]
    DEFAULT_CSS = """
    SamplePanel .panel-title { height: 1; text-style: bold; }
    SamplePanel #panel-words { height: 1fr; color: $text-muted; padding: 1; display: none; }
    SamplePanel.-empty #panel-words { display: block; }
    SamplePanel.-empty Horizontal, SamplePanel.-empty #panel-path { display: none; }
    SamplePanel Horizontal { height: 1fr; }
    SamplePanel Picture { margin: 0 1 0 0; }
    SamplePanel #panel-path { height: 1; color: $text-muted; }
    """

    def __init__(self, folder: Path, *, id: str | None = None) -> None:
        """``folder``: the run's, from which the pictures' paths count."""
        super().__init__(id=id)
        self._folder = folder
        self._prompts: list[list[SampleMark]] = []
        self._prompt = 0
        self._step: int | None = None
        """The one that was chosen; None: the newest."""

    def compose(self) -> ComposeResult:
        yield Static(classes="panel-title", markup=False)
        yield Static(_NONE, id="panel-words", markup=False)
        with Horizontal():
            yield Picture(id="panel-first")
            yield Picture(id="panel-now")
        yield Static(id="panel-path", markup=False)

    def on_mount(self) -> None:
        self._refresh_panel()

    def on_resize(self) -> None:
        self._refresh_panel()

    def show(self, samples: Sequence[SampleMark]) -> None:
        """The pictures there are, by step and prompt."""
        prompts: dict[tuple[str, int | None], list[SampleMark]] = {}
        for mark in samples:
            prompts.setdefault((mark.prompt, mark.seed), []).append(mark)
        if list(prompts.values()) != self._prompts:
            self._prompts = list(prompts.values())
            self._refresh_panel()

    def action_move(self, by: int) -> None:
        """Through time; beyond the newest it is followed again."""
        marks = self._marks
        if marks:
            place = max(min(1, len(marks) - 1), self._place + by)
            self._step = marks[place].step if place < len(marks) else None
            self._refresh_panel()

    def action_follow(self) -> None:
        """Show the newest from now on."""
        self._step = None
        self._refresh_panel()

    def action_prompt(self, by: int) -> None:
        """To another prompt, at the same time."""
        if self._prompts:
            self._prompt = (self._prompt + by) % len(self._prompts)
            self._refresh_panel()

    def action_enlarge(self) -> None:
        """The later picture, or the only one, in all of the terminal."""
        if marks := self._marks:
            self.app.push_screen(LargePicture(self._folder / marks[self._place].path))

    @property
    def _marks(self) -> list[SampleMark]:
        return self._prompts[min(self._prompt, len(self._prompts) - 1)] if self._prompts else []

    @property
    def _place(self) -> int:
        """Of the chosen step, or of the last one before it."""
        marks = self._marks
        if self._step is None:
            return len(marks) - 1
        until = [at for at, mark in enumerate(marks) if mark.step <= self._step]
        return until[-1] if until else 0

    def _refresh_panel(self) -> None:
        marks, room = self._marks, max(10, self.size.width)
        self.set_class(not marks, "-empty")
        title = self.query_one(".panel-title", Static)
        if not marks:
            title.update("2 Pictures")
            return
        first, now = marks[0], marks[self._place]
        for picture in self.query(Picture):
            # A column more would make one of them a row higher.
            picture.styles.width = max(1, room // 2 - 1)
        where = f"  {self._prompt + 1}/{len(self._prompts)}  " if len(self._prompts) > 1 else "  "
        title.update("2 Pictures" + clipped(where + now.prompt, room - 10))
        self.query_one("#panel-first", Picture).show(
            self._folder / first.path, label=_when(first, room)
        )
        later = self.query_one("#panel-now", Picture)
        if now is first:
            later.show(None, label="")
        else:
            which = "newest" if self._step is None else f"{self._place} of {len(marks) - 1}"
            later.show(self._folder / now.path, label=f"{_when(now, room)}, {which}")
        path = now.path if now is not first else f"{now.path}. {_NO_LATER}"
        line = clipped(path, room)
        for key in _KEYS:
            line += key if len(line) + len(key) <= room else ""
        self.query_one("#panel-path", Static).update(line)


def _when(mark: SampleMark, room: int) -> str:
    if not mark.step:
        return "base model"
    step = f", step {mark.step:,}" if room > _ROOM_FOR_STEP else ""
    return f"epoch {mark.epoch}{step}"
