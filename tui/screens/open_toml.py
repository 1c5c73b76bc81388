"""Opens a TOML that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from ...core.config.paths import resolve_path
from ...core.errors import WizardError
from ..walk.draft import Draft
from ..walk.listing import home_short
from ..walk.memory import recent_tomls
from ..walk.opening import of_toml
from ..widgets.footer import Footer
from ..widgets.path_input import PathInput
from ..widgets.rows import Rows
from ..widgets.text import shown

if TYPE_CHECKING:
    from ..app import WizardApp


class OpenScreen(Screen[None]):
    """A path, and the TOMLs that were opened before."""

    app: WizardApp
    HELP = (
        "A TOML that was made by hand, by `lora-wizard new` or by the wizard. It comes back as it "
        "was but for what is changed, comments and all, and only when it is saved."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]
    DEFAULT_CSS = """
    OpenScreen #question { height: 2; padding: 0 1; color: $primary; text-style: bold; }
    OpenScreen PathInput { margin: 0 1; }
    OpenScreen #wrong { height: auto; max-height: 12; padding: 1 1; color: $error; }
    OpenScreen .heading { height: 1; padding: 0 1; color: $primary; text-style: bold; }
    OpenScreen Rows { height: 1fr; margin: 0 1; }
    """

    def __init__(self, path: str = "", error: WizardError | None = None) -> None:
        super().__init__()
        self._path = path
        self._error = error
        self._recent: list[Path] = []

    def compose(self) -> ComposeResult:
        yield Static("Which TOML? Enter opens it; tab completes.", id="question")
        yield PathInput(self._path, endings=(".toml",), placeholder="run.toml", compact=True)
        yield Static("", id="wrong", markup=False)
        yield Static("Opened before", classes="heading")
        yield Rows("recent")
        yield Footer()

    def on_mount(self) -> None:
        self._recent = recent_tomls()
        self.query_one(".heading").display = bool(self._recent)
        self.query_one(Rows).show([shown(home_short(path)) for path in self._recent])
        self.query_one(PathInput).focus()
        self._say(self._error)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            return
        try:
            path = Path(resolve_path(event.value.strip(), Path.cwd()))
        except WizardError as error:
            self._say(error)
        else:
            self._open(path)

    @on(OptionList.OptionSelected, "#recent")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(self._recent[event.option_index])

    @work(thread=True, exclusive=True)
    def _open(self, path: Path) -> None:
        try:
            draft = of_toml(path)
        except WizardError as error:
            self.app.call_from_thread(self._say, error)
        else:
            self.app.call_from_thread(self._opened, draft)

    def _opened(self, draft: Draft) -> None:
        self.app.pop_screen()
        self.app.begin(draft)

    def _say(self, error: WizardError | None) -> None:
        """Show what is wrong with the file, line by line."""
        self.query_one("#wrong").display = error is not None
        self.query_one("#wrong", Static).update(shown(str(error) if error else ""))
