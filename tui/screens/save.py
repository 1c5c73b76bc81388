"""Saves the draft as a TOML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from ...core.errors import WizardError
from ..walk.listing import home_short
from ..walk.memory import remember_toml
from ..walk.review import destination
from ..widgets.path_input import PathInput
from ..widgets.text import shown
from .ask import Ask, told
from .dialog import Dialog

if TYPE_CHECKING:
    from ..app import WizardApp


def save(app: WizardApp) -> None:
    """Write the draft where it was opened or last saved; ask where to, the first time."""
    source = app.draft.source
    if source is None:
        save_as(app)
    else:
        overwriting(app, source, lambda: _write(app, source))


def save_as(app: WizardApp) -> None:
    """Ask for a path, and write. Another file is overwritten only when the person says so."""

    def named(text: str | None) -> None:
        if not text:
            return
        try:
            path = destination(text)
        except WizardError as error:
            app.push_screen(told(error))
            return
        overwriting(app, path, lambda: _write(app, path))

    proposed = app.draft.source or app.draft.folder / f"{app.draft.name}.toml"
    app.push_screen(SaveScreen(home_short(proposed)), named)


def overwriting(app: WizardApp, path: Path, write: Callable[[], None]) -> None:
    """Do ``write``, which writes the draft to ``path``; ask first where that takes away what
    somebody else has written."""
    if app.draft.may_write(path):
        write()
        return
    changed = path == app.draft.source
    title = "The file was changed elsewhere" if changed else "There is such a file already"
    choices = [("", "Keep what is there"), ("write", "Overwrite it")]
    question = Ask(title, home_short(path), choices)
    app.push_screen(question, lambda answer: write() if answer else None)


def _write(app: WizardApp, path: Path) -> None:
    try:
        app.draft.save_as(path)
    except WizardError as error:
        app.push_screen(told(error))
        return
    remember_toml(path)
    app.touch()
    app.notify(f"Saved: {home_short(path)}", markup=False)


class SaveScreen(Dialog[str]):
    """Asks for the TOML's path; ends with what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Back")]

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Save the TOML as (enter saves, escape goes back):")
            yield PathInput(self._path, endings=(".toml",), compact=True)
            yield Static(shown("`lora-wizard train FILE` runs it, here or elsewhere."))

    def on_mount(self) -> None:
        self.query_one(PathInput).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
