"""The monitor of a run: how it is doing, and what can be asked of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from ...core import hardware
from ...core.errors import WizardError
from ...core.run import control
from ...core.run.directory import RunDirectory
from ...core.run.launch import launch
from ...core.run.limits import Limits
from ...core.run.status import RunStatus
from ..walk import monitor_words as words
from ..walk.following import Follower
from ..walk.watching import Portion, Watch
from ..widgets.footer import Footer
from ..widgets.notices import Notices
from ..widgets.run_header import RunHeader
from ..widgets.run_panes import RunPanes
from ..widgets.thrift import fit
from . import run_questions
from .ask import told
from .of_run import show_results
from .resuming import ask_to_resume

if TYPE_CHECKING:
    from ..app import WizardApp

_ASKED_OF_LIVE = frozenset(("save", "sample", "stop"))


class TrainScreen(Screen[None]):
    """One run. A thread reads what it writes; nothing is painted when nothing has changed, and
    nothing is read any more when the run has ended."""

    app: WizardApp
    HELP = """
    A run, while it works and afterwards. It is a process of its own: leaving this screen, or a
    connection that is cut, does nothing to it. The loss says how far off the model's guesses are;
    it jumps from step to step, so look at the smoothed line, and above all at the pictures: left
    what the base model drew before the first step, right what the same prompt and seed give now.
    Left and right go through the epochs, end back to the newest, up and down to other prompts; v
    shows a picture large. Numbers show one pane alone.
    """
    DEFAULT_CSS = """
    TrainScreen.-wide #left { width: 4fr; padding: 0 0 0 1; }
    TrainScreen.-wide #failure { padding: 0 1 1 0; }
    TrainScreen.-wide #pictures { width: 5fr; }
    TrainScreen.-wide #log-title, TrainScreen.-wide #log { padding: 0 1; }
    TrainScreen.-narrow RunPanes.-failed #pictures { display: none; }
    TrainScreen.-narrow RunPanes.-only-pictures #pictures { display: block; }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "ask('save')", "Save", tooltip="Save a file after this step"),
        Binding("g", "ask('sample')", "Sample", tooltip="Draw the sample prompts after this step"),
        Binding("p", "pause", "Pause", tooltip="Rest, or stop and free the GPU's memory"),
        Binding("p", "ask('resume')", "Go on", tooltip="End the pause"),
        Binding("x", "stop", "Stop", tooltip="Save and stop; it can be resumed later"),
        Binding("r", "restart", "Resume", tooltip="Go on from the last saved state"),
        Binding("enter", "results", "Results", tooltip="The files and pictures so far"),
        Binding("d", "detach", "Leave", tooltip="Leave the wizard; the run goes on"),
        Binding("escape", "home", "Home", tooltip="To the other runs; this one goes on"),
        Binding("1", "pane('plot')", "Loss", show=False),
        Binding("2", "pane('pictures')", "Pictures", show=False),
        Binding("3", "pane('log')", "Log", show=False),
        Binding("4", "pane('all')", "All", show=False, tooltip="Everything side by side"),
        Binding("y", "log_scale", "Log scale", show=False),
        Binding("space", "seen", "Problem seen", show=False),
    ]

    class Read(Message):
        """There is something new."""

        def __init__(self, portion: Portion) -> None:
            super().__init__()
            self.portion = portion

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run_directory = run
        self._watch = Watch(run)
        self._follower = Follower(self._watch)
        self._status: RunStatus | None = None
        self._gpu_bytes = 0
        self._stop_asked = 0.0

    def compose(self) -> ComposeResult:
        fit(self)
        yield RunHeader(self.run_directory.name)
        yield RunPanes(self._watch)
        yield Notices()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self._follow()
        self._ask_hardware()

    def on_screen_resume(self) -> None:
        """Look again: somebody may have resumed it elsewhere."""
        if self._status and not self._is_live:
            self._follow()

    def on_unmount(self) -> None:
        self._follower.leave()

    @work(thread=True, exclusive=True, group="watch")
    def _follow(self) -> None:
        try:
            self._follower.follow(lambda portion: self.post_message(self.Read(portion)))
        except WizardError as error:
            self.app.call_from_thread(self._say, f"{error.title}: {error.message}")

    @work(thread=True)
    def _ask_hardware(self) -> None:
        if found := hardware.gpus():
            self._gpu_bytes = found[0].memory_bytes

    @on(Read)
    def _show(self, event: Read) -> None:
        portion = event.portion
        before, self._status = self._status, portion.status
        self._follower.took()
        status = portion.status
        self.query_one(RunHeader).show(status, self._gpu_bytes)
        self.query_one(RunPanes).show(portion)
        if status.stopping and not self._stop_asked:
            self._stop_asked = time.monotonic()
        notices = self.query_one(Notices)
        notices.take(portion, words.hint(status, self.run_directory, bool(self._watch.saves())))
        if before is None or _doing(before) != _doing(status):
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense now is offered."""
        status = self._status
        if action in ("ask", "pause", "stop", "detach"):
            if not self._is_live:
                return action == "detach"
            resumes = action == "ask" and parameters[0] == "resume"
            if resumes or action == "pause":
                return resumes == bool(status and status.paused)
            return True
        if action == "restart":
            return bool(status) and status.state in ("new", "stopped", "failed", "killed")
        if action == "results":
            return bool(status) and not self._is_live and bool(self._watch.saves())
        return True

    def action_ask(self, what: control.Request) -> None:
        """Leave a request; its answer comes with the events."""
        self.query_one(Notices).ask(what)
        if what == "stop":
            self._stop_asked = self._stop_asked or time.monotonic()
        self._request(what)

    def action_pause(self) -> None:
        """Ask which kind of pause is meant."""
        self.app.push_screen(run_questions.pause(self.run_directory), self._answered)

    def action_stop(self) -> None:
        """Ask whether to stop; and when that was asked for long ago, whether to kill."""
        waited = time.monotonic() - self._stop_asked if self._stop_asked else 0.0
        question = run_questions.stop(self.run_directory, self._status, waited)
        self.app.push_screen(question, self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "kill":
            self._kill()
        elif answer in ("pause", *_ASKED_OF_LIVE):
            self.action_ask(answer)  # pyright: ignore[reportArgumentType]

    @work(thread=True, group="request")
    def _request(self, what: control.Request) -> None:
        try:
            control.request(self.run_directory, what)
        except WizardError as error:
            self.app.call_from_thread(self._refused, error)

    @work(thread=True, group="request")
    def _kill(self) -> None:
        try:
            control.kill(self.run_directory)
        except WizardError as error:
            self.app.call_from_thread(self._refused, error)

    def action_restart(self) -> None:
        """Go on with a run that has ended, once more asked."""

        def start(limits: Limits) -> None:
            self._say("Starting ...")
            self._launch(limits)

        ask_to_resume(self.app, self.run_directory, start)

    @work(thread=True, exclusive=True, group="launch")
    def _launch(self, limits: Limits) -> None:
        try:
            launch(self.run_directory, limits=limits)
        except WizardError as error:
            self.app.call_from_thread(self._refused, error)
        # Whoever started it, here or elsewhere: it is watched.
        self.app.call_from_thread(self._watch_again)

    def _watch_again(self) -> None:
        self._stop_asked = 0.0
        self._say("")
        self._follow()

    def _refused(self, error: WizardError) -> None:
        self.query_one(Notices).ask("")
        self.app.push_screen(told(error))

    def action_results(self) -> None:
        """To the files and pictures."""
        show_results(self.app, self.run_directory)

    async def action_detach(self) -> None:
        """Leave the wizard; a live run goes on."""
        await self.app.action_quit()

    def action_home(self) -> None:
        """Leave the monitor."""
        self.app.pop_screen()

    def action_pane(self, pane: str) -> None:
        """One pane alone; the same key again, or 4, shows all."""
        self.query_one(RunPanes).show_alone(pane)

    def action_log_scale(self) -> None:
        """Loss on a logarithmic axis, and back."""
        self.query_one(RunPanes).toggle_log()

    def action_seen(self) -> None:
        """Put the problem away that is shown."""
        self.query_one(Notices).seen()

    def _say(self, text: str) -> None:
        self.query_one(Notices).say(text)

    @property
    def _is_live(self) -> bool:
        return self._status is not None and self._status.state == "live"


def _doing(status: RunStatus) -> tuple[str, bool, bool]:
    return status.state, status.paused, bool(status.last_file)
