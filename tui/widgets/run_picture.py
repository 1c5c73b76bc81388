"""A run as a picture made of characters: its epochs, files and samples, and its buckets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from ...core.schedule import Schedule
from ..walk.arithmetic import BucketShare, counted
from .lines import say
from .text import shown

_LABEL = 9
_COUNT = 7
_MOST_BUCKETS = 5


class RunPicture(Static, can_focus=True):
    """The run and its buckets, as wide as there is room. Takes the focus so that the keyboard can
    bring it into view."""

    DEFAULT_CSS = """
    RunPicture { height: auto; }
    RunPicture:focus { background: $boost; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._run: tuple[Schedule, Sequence[BucketShare]] | None = None
        self._drawn = 0

    def show(self, schedule: Schedule, shares: Sequence[BucketShare]) -> None:
        """Show this run."""
        self._run = schedule, shares
        self._draw()

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self._drawn:
            self._draw()

    def _draw(self) -> None:
        if self._run and self.size.width:
            schedule, shares = self._run
            self._drawn = self.size.width
            run = "\n".join(timeline(schedule, self._drawn)) + "\n\n"
            bars = [
                shown(text) + shown(bar, "$primary") for text, bar in buckets(shares, self._drawn)
            ]
            say(self, shown(run) + Content("\n").join(bars))


def timeline(schedule: Schedule, width: int) -> list[str]:
    """The run from left to right in ``width`` cells: where epochs end, where files are saved and
    samples drawn, with how many there are of each."""
    room = max(10, width - _LABEL - _COUNT)
    total = schedule.total_steps
    ends = [*schedule.epoch_end_steps]
    saves = [point.step for point in schedule.save_steps()]
    samples = schedule.sample_steps()
    rows = [
        ("epochs", _marked(ends, total, room, "|", "-"), schedule.epochs),
        ("files", _marked(saves[:-1], total, room, "+", " ", last="F"), len(saves)),
        ("samples", _marked(samples, total, room, "o", " "), len(samples)),
    ]
    return [f"{name:<{_LABEL}}{row}{count:>{_COUNT},}" for name, row, count in rows if count]


def buckets(shares: Sequence[BucketShare], width: int) -> list[tuple[str, str]]:
    """Each bucket in words, and a bar as long as its part in an epoch; of many, the most used."""
    shown = shares if len(shares) <= _MOST_BUCKETS + 1 else shares[:_MOST_BUCKETS]
    most = max(share.uses for share in shares)
    texts = [
        f"{share.bucket!s:<10}{counted(share.pictures, 'picture'):>13}"
        f"{counted(share.uses, 'use'):>12}{counted(share.batches, 'batch', 'batches'):>14}  "
        for share in shown
    ]
    room = max(4, width - max(map(len, texts)))
    lines = [
        (text, "█" * max(1, round(room * share.uses / most)))
        for text, share in zip(texts, shown, strict=True)
    ]
    rest = shares[len(shown) :]
    if rest:
        uses = counted(sum(share.uses for share in rest), "use")
        lines.append((f"and {len(rest)} smaller buckets with {uses}", ""))
    return lines


def _marked(
    steps: Iterable[int], total: int, room: int, mark: str, empty: str, *, last: str = ""
) -> str:
    cells = [empty] * room
    for step in steps:
        cells[round(step / total * (room - 1))] = mark
    if last:
        cells[-1] = last
    return "".join(cells)
