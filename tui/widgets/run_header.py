"""How a run is doing, in three lines."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ...core.run.status import RunStatus
from ..walk import monitor_words as words
from .text import clipped


class RunHeader(Vertical):
    """Name, state and position; the figures; a bar."""

    DEFAULT_CSS = """
    RunHeader { height: 3; background: $panel; padding: 0 1; }
    RunHeader Static { height: 1; }
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._status: RunStatus | None = None
        self._gpu_bytes = 0
        self._lines: list[Content] = []

    def compose(self) -> ComposeResult:
        for _ in range(3):
            yield Static(markup=False)

    def on_resize(self) -> None:
        self._write()

    def show(self, status: RunStatus, gpu_bytes: int = 0) -> None:
        """Show a status; only the lines that changed are painted."""
        self._status, self._gpu_bytes = status, gpu_bytes
        self._write()

    def _write(self) -> None:
        room = self.size.width
        if room <= 0:
            return
        before, self._lines = self._lines, self._written(room)
        for at, (line, content) in enumerate(zip(self.query(Static), self._lines, strict=True)):
            if not before or not before[at].is_same(content):
                line.update(content, layout=False)

    def _written(self, room: int) -> list[Content]:
        status = self._status
        if status is None:
            name = Content.styled(clipped(self._name, room - 12), "bold")
            return [name + "  reading ...", Content(""), Content("")]
        state, where = words.state_words(status), words.position_words(status)
        name = clipped(self._name, max(8, room - len(state) - len(where) - 6))
        gap = " " * max(2, room - cell_len(name) - len(state) - len(where) - 2)
        first = Content.styled(name, "bold") + "  " + Content.styled(state, _style(status))
        figures = _joined(words.figure_words(status, self._gpu_bytes), room)
        done, left = words.bar(words.fraction_done(status), room)
        bar = Content.styled(done, "$primary") + Content.styled(left, "$text-muted")
        return [first + gap + where, Content(figures), bar]


def _style(status: RunStatus) -> str:
    """In words and a glyph, too: the colour only repeats them."""
    wants_attention = status.paused or status.stopping or status.state in ("failed", "killed")
    return "bold $warning" if wants_attention else "bold $primary"


def _joined(parts: list[str], room: int) -> str:
    """As many as fit, the first ones first."""
    text = ""
    for part in parts:
        longer = f"{text}  {part}" if text else part
        if len(longer) <= room:
            text = longer
    return text
