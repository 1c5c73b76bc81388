"""Ways to show a run that goes on: on a terminal, in plain lines, as its events, not at all."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ..core.run.events import DONE, Event, problem_text
from ..core.run.status import Figures, RunStatus
from ..core.run.wording import going_on, phase_in_words
from ..core.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

_REDRAW = 0.25
"""Four updates a second are as many as an eye follows and a slow line carries."""
_PLAIN_INTERVAL = 30.0


class View(Protocol):
    """Shows events; a context, so that a terminal is left as it was found."""

    def __enter__(self) -> View: ...

    def __exit__(self, *exception: object) -> None: ...

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        """One event, its line, and the figures with it."""
        ...

    def refresh(self, figures: Figures) -> None:
        """Called many times a second."""
        ...


class QuietView:
    """Nothing: for a caller who tells it all at the end."""

    def __enter__(self) -> QuietView:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        pass

    def refresh(self, figures: Figures) -> None:
        pass


class JsonView:
    """The events as they are, for programs."""

    def __enter__(self) -> JsonView:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        # The job writes ASCII; what else is in the file might command a terminal.
        sys.stdout.write(line.decode("ascii", "backslashreplace") + "\n")

    def refresh(self, figures: Figures) -> None:
        sys.stdout.flush()


class PlainView:
    """A line for what matters, and one now and then as a sign of life: for logs and pipes."""

    def __init__(self) -> None:
        self._epoch = 0
        self._phases: set[str] = set(_TOLD_OTHERWISE)
        self._told = ""
        self._last = time.monotonic()

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *exception: object) -> None:
        sys.stdout.flush()

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        if event["kind"] == "step" and figures.epoch != self._epoch:
            self._epoch = figures.epoch
            self._say(how_far(figures))
        elif words := milestone(event, self._phases):
            self._say(words)

    def refresh(self, figures: Figures) -> None:
        if time.monotonic() - self._last >= _PLAIN_INTERVAL:
            now = how_far(figures)
            if now != self._told:
                self._say(now)
            self._last = time.monotonic()

    def _say(self, words: str) -> None:
        sys.stdout.write(words + "\n")
        sys.stdout.flush()
        self._told, self._last = words, time.monotonic()


class TerminalView:
    """Milestones scroll by; below them a bar and a line of figures, redrawn when they change."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._phases: set[str] = set(_TOLD_OTHERWISE)
        self._drawn = 0.0
        self._dirty = False

    def __enter__(self) -> TerminalView:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def event(self, event: Event, line: bytes, figures: Figures) -> None:
        from rich.text import Text

        self._dirty = True
        if words := milestone(event, self._phases):
            self._live.console.print(Text(words, style=_STYLES.get(event["kind"], "")))

    def refresh(self, figures: Figures) -> None:
        now = time.monotonic()
        if self._dirty and now - self._drawn >= _REDRAW:
            self._drawn, self._dirty = now, False
            self._live.update(self._picture(figures), refresh=True)

    def _picture(self, figures: Figures) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(max_width=24, no_wrap=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        total = figures.phase_total
        count = "" if figures.done is None else f"{figures.done}"
        bar.add_row(
            Text(printable(phase_in_words(figures.phase), limit=24), style="bold"),
            ProgressBar(total=total, completed=figures.done or 0) if total else "",
            Text(f"{count}/{total}" if total else count),
        )
        details = Text("  ".join(self.details(figures)), overflow="ellipsis", no_wrap=True)
        return Group(bar, details)

    def details(self, figures: Figures) -> list[str]:
        """The line below the bar, in parts. Safe to show."""
        return _details(figures)


_HALF_A_DAY = 43_200
_TOLD_OTHERWISE = ("save", "paused")
"""Phases that have a line of their own."""
_STYLES = {"problem": "bold yellow", "failed": "bold red", "saved": "green", "phase": "bold"}


def milestone(event: Event, phases: set[str]) -> str:
    """The line of an event that people want to see go by; empty for the others. Safe to show.

    ``phases`` remembers which were told: a run goes back and forth between training and saving.
    """
    kind = event["kind"]
    if kind == "phase":
        name, total = str(event.get("phase", "")), event.get("total")
        if name in phases:
            return ""
        phases.add(name)
        words = phase_in_words(name)
        return printable(f"{words}{f' ({total})' if total else ''}", limit=200)
    if kind in DONE:
        path, step = event.get("path", ""), event.get("step", "?")
        return printable(f"{DONE[kind]} {path} (step {step})", limit=400)
    if kind == "problem":
        return printable(problem_text(event), limit=1000)
    if kind == "paused":
        return f"paused after step {event.get('step', '?')}: `lora-wizard resume` goes on"
    if kind == "published":
        return printable(f"published {event.get('path', '')}", limit=400)
    if kind == "going_on":
        return printable(going_on(event))
    if kind == "stopping":
        return "stopping, and saving what is done"
    return ""


def how_far(figures: Figures) -> str:
    """One line on where the run stands. Safe to show."""
    total = f"/{figures.phase_total}" if figures.phase_total else ""
    count = "" if figures.done is None else f" {figures.done}{total}"
    return printable(
        "  ".join([f"{phase_in_words(figures.phase)}{count}", *_details(figures)]), limit=400
    )


def duration(seconds: float) -> str:
    """h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def own_end(status: RunStatus) -> str:
    """When a live run saves and ends by itself, as a clock says it; empty where it only ends when
    it is done."""
    if status.state != "live" or status.ends_at is None:
        return ""
    try:
        moment = datetime.fromtimestamp(status.ends_at)
    except (OverflowError, ValueError, OSError):
        return ""
    is_far = abs(status.ends_at - time.time()) > _HALF_A_DAY
    return f"{moment:%Y-%m-%d %H:%M}" if is_far else f"{moment:%H:%M}"


def reached_limit(status: RunStatus) -> str:
    """Which limit of its start a stopped run reached; empty for one that was stopped otherwise. Not
    yet safe to show."""
    by_itself = status.state == "stopped" and status.stopped_by == status.because
    return status.because if by_itself else ""


def ends_early(status: RunStatus) -> bool:
    """Whether a run with an end of its own will not be finished by then, as it goes."""
    left, end = status.eta_seconds, status.ends_at
    return left is not None and end is not None and time.time() + left > end


def _details(figures: Figures) -> list[str]:
    """The figures that are known, in words."""
    words: list[str] = []
    if figures.epoch:
        words.append(f"epoch {figures.epoch}" + (f"/{figures.epochs}" if figures.epochs else ""))
    if figures.loss is not None:
        words.append(f"loss {figures.loss:.4f}")
    if (speed := figures.steps_per_second()) is not None:
        words.append(f"{speed:.2f} steps/s")
    if (left := figures.eta_seconds()) is not None:
        words.append(f"{duration(left)} left")
    if figures.memory:
        words.append(f"{figures.memory / 2**30:.1f} GiB")
    if figures.last_file:
        words.append(f"last file {printable(figures.last_file, limit=80)}")
    return words
