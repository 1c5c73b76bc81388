"""A zip where a folder should be: what is in it, and the key that unpacks it."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Button, Static
from textual.worker import Worker, get_current_worker

from ...core.dataset.archive import extract, look_into
from ...core.dataset.archive_content import ArchiveError, found_text
from .findings import MEND_KEY
from .text import shown


class Unpacking(Vertical):
    """Asks once, unpacks in a thread, and says where to (`Done`)."""

    class Done(Message):
        """The new folder is there, whole."""

        def __init__(self, folder: Path) -> None:
            super().__init__()
            self.folder = folder

    DEFAULT_CSS = """
    Unpacking { height: auto; padding: 0 1; display: none; }
    Unpacking Static { height: auto; }
    Unpacking Button { margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self._unpacking: Worker[None] | None = None
        self.is_ready = False
        """Whether there is a zip that can be unpacked."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)
        yield Button("", id="unpack", compact=True)

    def look(self, path: Path | None) -> None:
        """Say what is in a zip; None for none."""
        self.cancel()
        self._path, self.is_ready = path, False
        self.display = path is not None
        self._show("Looking into the zip ..." if path else "")
        if path:
            self._look_into(path)

    def unpack(self) -> None:
        """Begin; it is asked no more."""
        if self._path and self.is_ready:
            self.is_ready = False
            self._show("Unpacking ...")
            self._unpacking = self._extract(self._path)

    def cancel(self) -> bool:
        """Stop unpacking; False when there was nothing to stop."""
        if self._unpacking is None:
            return False
        self._unpacking.cancel()
        self._unpacking = None
        if self._path:
            self._show("Stopped; nothing was left behind.")
            self._look_into(self._path)
        return True

    def offer_focus(self) -> None:
        """Put the focus on the key, if there is something to unpack."""
        if self.is_ready:
            self.query_one(Button).focus()

    @on(Button.Pressed, "#unpack")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.unpack()

    @work(thread=True, exclusive=True, group="look-into")
    def _look_into(self, path: Path) -> None:
        worker = get_current_worker()
        try:
            said = f"{path.name}: {found_text(look_into(path))}."
            ready = True
        except ArchiveError as error:
            said, ready = _words(error), False
        if not worker.is_cancelled:
            self.app.call_from_thread(self._looked, said, ready)

    @work(thread=True, exclusive=True, group="unpack")
    def _extract(self, path: Path) -> None:
        worker = get_current_worker()
        shown_last = -1

        def progress(done: int, total: int) -> None:
            nonlocal shown_last
            if worker.is_cancelled:
                raise _CancelledError
            percent = 100 * done // total
            if percent != shown_last:
                shown_last = percent
                text = f"Unpacking: {done} of {total} files. Esc stops."
                self.app.call_from_thread(self._show, text)

        try:
            folder = extract(path, progress)
        except _CancelledError:
            return
        except ArchiveError as error:
            self.app.call_from_thread(self._failed, _words(error))
        else:
            self.app.call_from_thread(self._finished, folder)

    def _looked(self, said: str, ready: bool) -> None:
        self.is_ready = ready
        self._show(
            said, f"\u25b8 {MEND_KEY}  Unpack it into a new folder beside it" if ready else ""
        )

    def _failed(self, said: str) -> None:
        self._unpacking = None
        self._show(said)

    def _finished(self, folder: Path) -> None:
        self._unpacking = None
        self.post_message(self.Done(folder))

    def _show(self, text: str, key: str = "") -> None:
        self.query_one(Static).update(shown(text))
        button = self.query_one(Button)
        button.label = key
        button.display = bool(key)


class _CancelledError(Exception):
    """The person, or a new path, has stopped it."""


def _words(error: ArchiveError) -> str:
    return "\n".join(
        part for part in (f"\u2717 {error.title}.", error.message, error.remedy) if part
    )
