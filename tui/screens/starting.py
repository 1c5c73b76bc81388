"""While a run is being started: a second or two, or why it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from ...core.errors import WizardError
from ...core.run.control import killed_at_logout
from ...core.run.directory import RunDirectory
from ...core.run.launch import launch
from ...core.run.limits import Limits
from ...core.run.lock import AlreadyRunningError
from ..widgets.text import shown
from .ask import told
from .dialog import Dialog
from .of_run import watch_run

if TYPE_CHECKING:
    from ..app import WizardApp


class StartingScreen(Dialog[None]):
    """Starts a job in ``run`` within ``limits``, which no closed window ends, and goes on to its
    monitor."""

    app: WizardApp
    DEFAULT_CSS = """
    StartingScreen > Vertical { width: 60; }
    """

    def __init__(self, run: RunDirectory, limits: Limits | None = None) -> None:
        super().__init__()
        self._run = run
        self._limits = limits

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(shown(f"Starting {self._run.name} ..."))
            yield Static("It goes on without this window, too.")

    def on_mount(self) -> None:
        self._launch()

    @work(thread=True)
    def _launch(self) -> None:
        said = ""
        try:
            launch(self._run, limits=self._limits)
            said = killed_at_logout()
        except AlreadyRunningError:
            said = "It is going on already: here it is."
        except WizardError as error:
            self.app.call_from_thread(self._failed, error)
            return
        self.app.call_from_thread(self._started, said)

    def _started(self, said: str) -> None:
        self.app.pop_screen()
        watch_run(self.app, self._run)
        if said:
            self.app.notify(said, markup=False)

    def _failed(self, error: WizardError) -> None:
        self.app.pop_screen()
        self.app.push_screen(told(error))
