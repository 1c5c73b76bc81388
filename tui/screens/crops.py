"""Cutting pictures by hand: the frame over the picture, moved by keys; then the copies."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from ...core.dataset.picture_file import PictureError
from ...core.dataset.pixels import load_picture
from ...core.errors import WizardError
from ...core.resize.frame import moved
from ...core.resize.order import Order
from ...core.resize.source import SourcePicture
from ...core.resize.work import Outcome
from ..walk import look
from ..walk.crops import Crops
from ..widgets.crop_view import CropView
from ..widgets.footer import Footer
from ..widgets.lines import say
from ..widgets.text import clipped, shown
from ..widgets.thrift import fit

_STEP, _SMALL_STEP = 0.025, 0.005
_TOLD_EVERY = 0.1


class CropScreen(Screen[Path | None]):
    """Ends with the new folder when its copies are to be used, else with None. With
    ``is_for_command`` the copies are made by whoever opened it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("left", f"shift(-{_STEP}, 0)", "Move", key_display="arrows"),
        Binding("right", f"shift({_STEP}, 0)", show=False),
        Binding("up", f"shift(0, -{_STEP})", show=False),
        Binding("down", f"shift(0, {_STEP})", show=False),
        Binding("shift+left", f"shift(-{_SMALL_STEP}, 0)", show=False),
        Binding("shift+right", f"shift({_SMALL_STEP}, 0)", show=False),
        Binding("shift+up", f"shift(0, -{_SMALL_STEP})", show=False),
        Binding("shift+down", f"shift(0, {_SMALL_STEP})", show=False),
        Binding("plus,equals_sign", "grow(1.06)", "Size", key_display="+ -"),
        Binding("minus", "grow(0.94)", show=False),
        Binding("enter,n,pagedown", "go(1)", "Next", key_display="enter"),
        Binding("p,pageup", "go(-1)", "Previous", show=False),
        Binding("f5", "make", "Copy", tooltip="Copy all of them"),
        Binding("f8", "use", "Use them", tooltip="Train with the copies"),
        Binding("s", "subject", "Subject"),
        Binding("c", "centre", "Centre", show=False),
        Binding("r", "forget", "Reset", show=False),
        Binding("t", "target", "Sizes", show=False),
    ]
    DEFAULT_CSS = """
    CropScreen #status { height: 1; padding: 0 1; background: $panel; }
    CropScreen #words { height: 1; padding: 0 1; }
    CropScreen #said { height: auto; max-height: 4; padding: 0 1; }
    CropScreen CropView { margin: 0 1; }
    """

    def __init__(self, order: Order, *, is_for_command: bool = False) -> None:
        super().__init__()
        self._crops = Crops(order)
        self._is_for_command = is_for_command
        self._stop = Event()
        self._is_busy = False
        self._is_made = False

    def compose(self) -> ComposeResult:
        fit(self)  # pyright: ignore[reportArgumentType]
        yield Static("Reading the pictures ...", id="status", markup=False)
        yield CropView()
        yield Static("", id="words", markup=False)
        yield Static("", id="said", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self._read()

    def on_unmount(self) -> None:
        self._stop.set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for what is there."""
        if action == "use":
            return self._is_made
        if action == "make":
            return not (self._is_for_command or self._is_made)
        return True

    @work(thread=True, exclusive=True, group="read")
    def _read(self) -> None:
        try:
            pictures = self._crops.read()
        except WizardError as error:
            self._tell(look.explained(error))
            return
        if not self._stop.is_set():
            self.app.call_from_thread(self._begin, pictures)

    def _begin(self, pictures: tuple[SourcePicture, ...]) -> None:
        if pictures:
            self._crops.begin(pictures)
            self._show()

    def action_back(self) -> None:
        """Stop what goes on; back. The frames are kept."""
        self._stop.set()
        self.dismiss(None)

    def action_shift(self, right: float, down: float) -> None:
        """Move the frame."""
        if self._crops.here and not self._is_busy:
            self._crops.move(right, down)
            self._show()

    def action_grow(self, factor: float) -> None:
        """Make the frame larger or smaller."""
        if self._crops.here and not self._is_busy:
            self._crops.grow(factor)
            self._show()

    def action_go(self, distance: int) -> None:
        """To another picture."""
        if self._crops.go(self._crops.place + distance):
            self._show()
        elif self._crops.here and distance > 0:
            end = "esc goes on" if self._is_for_command else "F5 copies all"
            self._say(f"That was the last one; {end}.")

    def action_centre(self) -> None:
        """Put the frame into the middle."""
        if self._crops.here and not self._is_busy:
            self._crops.centre()
            self._show()

    def action_forget(self) -> None:
        """Leave the picture to the rule for all."""
        if self._crops.here and not self._is_busy:
            self._crops.forget()
            self._show()

    def action_target(self) -> None:
        """Between the sizes of training and one size for all."""
        if self._crops.here and not self._is_busy:
            self._crops.turn_target()
            self._show()

    def action_subject(self) -> None:
        """Put the frame where most is to be seen."""
        if self._crops.path and not self._is_busy:
            self._find_subject(self._crops.path, False)

    @work(thread=True, exclusive=True, group="subject")
    def _find_subject(self, path: Path, is_proposed: bool) -> None:
        from ...core.resize.subject import subject_point

        left, top, right, bottom = self._crops.box
        width, height = self._crops.size
        try:
            small = load_picture(path, at_least=256)
        except PictureError as error:
            self._tell(str(error))
            return
        at = subject_point(small, ((right - left) / width, (bottom - top) / height))
        if not self._stop.is_set():
            self.app.call_from_thread(self._put_at, path, at, is_proposed)

    def _put_at(self, path: Path, at: tuple[float, float], is_proposed: bool) -> None:
        if path == self._crops.path:
            box = moved(self._crops.box, self._crops.size, at)
            if is_proposed:
                self._crops.propose(box)
            else:
                self._crops.put(box)
            self._show_frame()

    def action_make(self) -> None:
        """Make all copies, in a thread."""
        if self._crops.here and not self._is_busy:
            self._is_busy = True
            self._say("Copying ...")
            self._make()

    @work(thread=True, exclusive=True, group="make")
    def _make(self) -> None:
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told > _TOLD_EVERY or done == total:
                told = now
                self._tell(f"Copying {done} of {total} into {self._crops.order.into}")

        try:
            outcome = self._crops.make(progress, self._stop)
        except WizardError as error:
            self._tell(look.explained(error))
            outcome = None
        if not self._stop.is_set():
            self.app.call_from_thread(self._made, outcome)

    def _made(self, outcome: Outcome | None) -> None:
        self._is_busy = False
        if outcome is None:
            return
        self._is_made = bool(outcome.rows)
        self.refresh_bindings()
        missing = f", {len(outcome.bad)} could not be read" if outcome.bad else ""
        into = self._crops.order.into.name
        self._say(
            f"{outcome.made} copies made, {outcome.current} were there{missing}, in {into}. "
            "F8 trains with them; esc keeps the pictures as they were."
        )

    def action_use(self) -> None:
        """Go back, and train with the copies."""
        self.dismiss(self._crops.order.into)

    def _show(self) -> None:
        """The picture and its frame; where the rule for all is the subject, it is looked for."""
        crops = self._crops
        self._show_frame()
        if crops.path and crops.order.at == "subject" and not crops.is_by_hand:
            self._find_subject(crops.path, True)

    def _show_frame(self) -> None:
        crops = self._crops
        here, path = crops.here, crops.path
        if here and path:
            place = f"{crops.place + 1} of {len(crops.pictures)}"
            sizes = "sizes of training" if crops.order.target.rule else str(crops.order.target)
            room = max(10, self.size.width - len(place) - len(sizes) - 10)
            name = clipped(here.name, room)
            say(self.query_one("#status", Static), shown(f"{place}  {name}  ({sizes})"))
            say(self.query_one("#words", Static), shown(crops.words()))
            self.query_one(CropView).show(path, crops.size, crops.box)

    def _tell(self, text: str) -> None:
        """From a thread."""
        if not self._stop.is_set():
            self.app.call_from_thread(self._say, text)

    def _say(self, text: str) -> None:
        say(self.query_one("#said", Static), shown(text))
