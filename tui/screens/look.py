"""What is worth a look in the pictures: the findings, and the pictures of one side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static

from ...core.config import RunConfig
from ...core.errors import WizardError
from ...core.look.finding import Exhibit, Finding
from ..walk import look
from ..widgets.footer import Footer
from ..widgets.lines import say
from ..widgets.picture_grid import PictureGrid
from ..widgets.rows import Rows
from ..widgets.text import clipped, shown
from ..widgets.thrift import fit

if TYPE_CHECKING:
    from ..app import WizardApp

_TOLD_EVERY = 0.1
"""Seconds between what a thread tells."""
_WAIT = "the keys below do nothing"
_OUT = "✗ "
_SISTERS = {"duplicate": "Twice", "near-duplicate": "Alike"}
"""Kinds of which there may be many findings, to be told apart by a name."""


class LookScreen(Screen[None]):
    """Looks, in a thread, at the pictures of ``config``, the draft's. Nothing is left out unless a
    key says so."""

    app: WizardApp
    focused = Reactive[Widget | None](None, repaint=False)
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("x", "turn", "Out", tooltip="Leave the picture out, or take it in again"),
        Binding("a", "all", "Spare", tooltip="Leave out all that are spare here"),
        Binding("A", "all_of_kind", "Its kind", tooltip="Also in the findings of this kind"),
        Binding("u", "undo", "Undo"),
        Binding("n", "move(1)", "Next", key_display="n/p", tooltip="To the next, the previous"),
        Binding("p", "move(-1)", "Previous", show=False),
        Binding("z", "enlarge", "Enlarge", show=False),
    ]
    DEFAULT_CSS = """
    LookScreen #status { height: 1; padding: 0 1; background: $panel; }
    LookScreen #list { width: 27; padding: 0 1; }
    LookScreen.-wide #list { width: 38; }
    LookScreen #list Rows { height: 1fr; }
    LookScreen #words { height: auto; max-height: 6; }
    LookScreen #picture { height: 1; color: $text-muted; }
    LookScreen PictureGrid { height: 1fr; margin: 1 0 0 0; }
    """

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        self._config = config
        self._findings: Sequence[Finding] = ()
        self._pictures = 0
        self._place = 0
        self._stop = Event()
        self._is_known = False
        """Whether all pictures were looked at."""
        self._out: look.LeavingOut

    def compose(self) -> ComposeResult:
        fit(self)
        yield Static(f"Looking at the pictures; until then {_WAIT}", id="status", markup=False)
        with Horizontal():
            with Vertical(id="list"):
                yield Rows("findings")
            with Vertical():
                yield Static("", id="words", markup=False)
                yield Static("", id="picture", markup=False)
                yield PictureGrid(columns=22, rows=9)
        yield Footer()

    def on_mount(self) -> None:
        self._out = look.LeavingOut(self.app.draft)
        self._look()

    def on_unmount(self) -> None:
        self._stop.set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nobody leaves out what was not seen yet."""
        if action in ("turn", "all", "all_of_kind", "undo", "move", "enlarge"):
            return self._is_known or None
        return True

    @work(thread=True, exclusive=True, group="look")
    def _look(self) -> None:
        from ...core.look.examine import CancelledError

        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if not self._stop.is_set() and (now - told > _TOLD_EVERY or done == total):
                told = now
                # Pictures that seem to be the same are compared then.
                text = f"{done} of {total}" if done < total else f"{total}, comparing them ..."
                text = f"Looking at the pictures: {text}; until then {_WAIT}"
                self.app.call_from_thread(self._say, text)

        try:
            pictures, findings = look.looked_at(self._config, progress, self._stop)
        except CancelledError:
            return
        except WizardError as error:
            if not self._stop.is_set():
                self.app.call_from_thread(self._say, look.explained(error))
            return
        if not self._stop.is_set():
            self.app.call_from_thread(self._take, pictures, findings)

    def _take(self, pictures: int, findings: Sequence[Finding]) -> None:
        self._pictures, self._findings, self._is_known = pictures, findings, True
        self.refresh_bindings()
        rows = self.query_one(Rows)
        rows.focus()
        self._show()

    @property
    def finding(self) -> Finding | None:
        """The one that is shown."""
        return self._findings[self._place] if self._findings else None

    @property
    def _exhibit(self) -> Exhibit | None:
        finding, index = self.finding, self.query_one(PictureGrid).index
        return finding.pictures[index] if finding and index < len(finding.pictures) else None

    def action_back(self) -> None:
        """To the step; what was left out stays so."""
        self.dismiss()

    def action_move(self, distance: int) -> None:
        """To another finding."""
        place = self._place + distance
        if 0 <= place < len(self._findings):
            self.query_one(Rows).highlighted = place

    def action_turn(self) -> None:
        """Leave the picture under the cursor out of the training, or take it in again."""
        if self._exhibit:
            self._out.turn(self._exhibit.path)
            self._changed()

    def action_all(self) -> None:
        """Leave out what one would."""
        if self.finding and self._out.leave_out(self.finding.spare):
            self._changed()

    def action_all_of_kind(self) -> None:
        """Leave out what one would, in all findings of this kind, and go on to the next kind."""
        if self.finding:
            kind = self.finding.kind
            alike = [found for found in self._findings if found.kind == kind]
            if self._out.leave_out(path for found in alike for path in found.spare):
                self._changed()
            last = max(place for place, found in enumerate(self._findings) if found.kind == kind)
            self.action_move(last + 1 - self._place)

    def action_undo(self) -> None:
        """Take the last change back."""
        if self._out.undo():
            self._changed()

    def action_enlarge(self) -> None:
        """Show the picture in all of the terminal."""
        if self._exhibit:
            from .large_picture import LargePicture

            self.app.push_screen(LargePicture(self._exhibit.path))

    def _changed(self) -> None:
        self.app.touch()
        self._show()

    def _show(self) -> None:
        out = self._out.count(self._findings)
        self._say(look.status(self._pictures, self._findings, out))
        rows = self.query_one(Rows)
        bar = rows.scrollbar_size_vertical if len(self._findings) > rows.size.height else 0
        width = (self.query_one("#list").content_size.width or 25) - bar
        rows.show([self._row(item, width) for item in self._findings])
        self._show_finding()

    def _row(self, finding: Finding, width: int) -> Content:
        left = sum(self._out.is_out(path) for path in finding.spare)
        count = f" {len(finding.pictures)}"
        is_done = bool(finding.spare) and left == len(finding.spare)
        mark = "✓ " if is_done else "  "
        room = width - len(count) - len(mark)
        title = finding.title
        if finding.kind in _SISTERS:
            first = _SISTERS[finding.kind]
            title = f"{first}: {finding.pictures[0].path.name}"
        title = clipped(title, room)
        return shown(f"{mark}{title}{' ' * (room - cell_len(title))}{count}")

    def _show_finding(self) -> None:
        finding = self.finding
        say(self.query_one("#words", Static), shown(_words(finding)) if finding else "")
        items = [self._item(item) for item in finding.pictures] if finding else []
        most = 3 if self.has_class("-wide") else 2
        self.query_one(PictureGrid).show(items, per_row=max(1, min(len(items), most)))
        self._show_picture()

    def _item(self, item: Exhibit) -> tuple[str, Path]:
        mark = _OUT if self._out.is_out(item.path) else ""
        return f"{mark}{item.path.name}", item.path

    def _show_picture(self) -> None:
        item = self._exhibit
        text = ""
        if item:
            state = " - left out" if self._out.is_out(item.path) else ""
            spare = self.finding and item.path in self.finding.spare and not state
            text = f"{item.note}{state}{' - spare' if spare else ''}"
        say(self.query_one("#picture", Static), shown(text))

    def _say(self, text: str) -> None:
        say(self.query_one("#status", Static), shown(text))

    @on(OptionList.OptionHighlighted, "#findings")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index != self._place and event.option_index < len(self._findings):
            self._place = event.option_index
            self.query_one(PictureGrid).move_to(0)
            self._show_finding()

    @on(OptionList.OptionSelected, "#findings")
    def _selected(self) -> None:
        self.query_one(PictureGrid).focus()

    @on(PictureGrid.Highlighted)
    def _picture_highlighted(self) -> None:
        self._show_picture()

    @on(PictureGrid.Chosen)
    def _picture_chosen(self) -> None:
        self.action_enlarge()


def _words(finding: Finding) -> str:
    return f"{finding.words} {finding.remedy}"
