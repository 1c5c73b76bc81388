"""The full-screen wizard: holds the draft and what is known of it, and moves between screens."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import WorkerFailed, get_current_worker

from ..core.run.directory import RunDirectory
from ..core.text import printable
from .crash import report
from .screens import palette
from .screens.begin import hold_or_ask
from .screens.home import HomeScreen
from .screens.step import StepScreen
from .threads import LooseThreads
from .walk import steps
from .walk.assessment import Assessment, Assessor
from .walk.draft import Draft
from .walk.hold import Hold
from .walk.progress import is_untouched
from .widgets.themes import FEW_COLOURS, dress
from .widgets.thrift import ThriftyApp, forget_closed_screens

if TYPE_CHECKING:
    from .terminal.capabilities import Capabilities

_PAUSE = 0.15
"""Seconds without a key after which the draft is looked at again."""
_LEAST = (80, 24)
_LONGEST_WORD = 600
"""Characters of a notification."""


class WizardApp(ThriftyApp):
    """The app. A screen asks it for `draft`, tells it with `touch` that it changed the draft, and
    leaves with `go`, `go_home`, `start_run`, `watch_run` or `show_results`."""

    TITLE = "lora-wizard"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    CSS = FEW_COLOURS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "explain", "Help", key_display="F1"),
        Binding("ctrl+q", "quit", "Quit", priority=True),
    ]

    def __init__(
        self,
        first: Screen[None] | None = None,
        *,
        draft: Draft | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        """Opens ``first``, or the walk through ``draft``, or Home. Without ``capabilities``,
        pictures are half blocks."""
        super().__init__()
        self.animation_level = "none"
        self.capabilities = capabilities
        self.assessment: Assessment | None = None
        self.crash = ""
        """What to say when a mistake of ours has ended the app."""
        self.left_draft: Draft | None = None
        self.left_run: RunDirectory | None = None
        """What was on the screen when the app was left."""
        self._first, self._first_draft = first, draft
        self._told_to_leave: Callable[[], object] = lambda: None
        self._draft: Draft | None = None
        self._hold: Hold | None = None
        self._assessor = Assessor()
        self._pause: Timer | None = None
        self._is_small = False

    @property
    def draft(self) -> Draft:
        """The draft of the walk. Only screens of the walk ask."""
        assert self._draft is not None
        return self._draft

    def on_mount(self) -> None:
        dress(self)
        forget_closed_screens(self)
        if self.capabilities and self.capabilities.remark:
            self.notify(self.capabilities.remark)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(LooseThreads())
        self._told_to_leave = lambda: loop.call_soon_threadsafe(self.exit)
        self.push_screen(HomeScreen())
        if self._first:
            self.push_screen(self._first)
        elif self._first_draft:
            self.begin(self._first_draft)

    def begin(self, draft: Draft) -> None:
        """Walk through ``draft`` from where it was left; asks first when another wizard has it."""
        hold_or_ask(self, draft, self._begin)

    def _begin(self, draft: Draft, hold: Hold) -> None:
        self._draft, self._hold, self.assessment = draft, hold, None
        draft.keep()
        self.push_screen(_screen(steps.find(draft.step).name))
        self.touch()

    def go(self, step: str) -> None:
        """To a step of the walk."""
        self.switch_screen(_screen(step))

    def go_home(self) -> None:
        """Leave the walk or the run; the draft is kept."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, HomeScreen):
            self.pop_screen()
        self._let_go()

    def _let_go(self) -> None:
        """Let others have the draft; one in which nothing was decided does not stay in the list."""
        if self._hold and self._draft:
            if is_untouched(self._draft):
                self._draft.discard()
            self._hold.release()
            self._hold = None

    def start_run(self, run: RunDirectory) -> None:
        """Start a job in ``run``, or go on with it, and go to the monitor; says why when it does
        not come up."""
        from .screens.starting import StartingScreen

        self.push_screen(StartingScreen(run))

    def watch_run(self, run: RunDirectory) -> None:
        """To the monitor of a run."""
        from .screens.train import TrainScreen

        self.push_screen(TrainScreen(run))

    def show_results(self, run: RunDirectory) -> None:
        """To what a run has made."""
        from .screens.results import ResultsScreen

        self.push_screen(ResultsScreen(run))

    def touch(self) -> None:
        """The draft has changed: look at it again as soon as nobody types."""
        if said := self.draft.take_trouble():
            self.notify(printable(said), severity="error", timeout=30, markup=False)
        # In the app's own name: what a screen begins remembers the screen.
        self.call_later(self._wait_for_pause)

    def _wait_for_pause(self) -> None:
        if self._pause:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._assess)

    def look_again(self) -> None:
        """Forget what was found of base models and look at everything again."""
        self._assessor.forget_bases()
        self.touch()

    @work(thread=True, exclusive=True, group="assess")
    def _assess(self) -> None:
        worker, snapshot = get_current_worker(), self.draft.snapshot()

        def progress(done: int, total: int) -> None:
            if worker.is_cancelled:
                raise _CancelledError
            self.call_from_thread(self._show_progress, done, total)

        try:
            assessment = self._assessor.assess(snapshot, progress)
        except _CancelledError:
            return
        if not worker.is_cancelled:
            self.call_from_thread(self._show_assessment, assessment)

    def _show_progress(self, done: int, total: int) -> None:
        if isinstance(self.screen, StepScreen) and self.screen.is_mounted:
            self.screen.show_progress(done, total)

    def _show_assessment(self, assessment: Assessment) -> None:
        self.assessment = assessment
        screen = self.screen
        if isinstance(screen, StepScreen) and screen.is_mounted:
            screen.show_assessment(assessment)
        elif isinstance(screen, StepScreen):
            # On a busy machine its widgets may still be to come.
            screen.call_later(screen.show_assessment, assessment)

    def notify(self, message: str, *, markup: bool = False, **how: Any) -> None:
        """Say something at the edge of the screen. It may name files: nothing in it is obeyed."""
        said = printable(message, keep_newlines=True, limit=_LONGEST_WORD)
        super().notify(said, markup=False, **how)

    def leave(self) -> None:
        """End the app; for signal handlers and other threads."""
        self._told_to_leave()

    async def action_quit(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, StepScreen) and not is_untouched(self.draft):
                self.left_draft = self.draft
            self.left_run = getattr(screen, "run_directory", self.left_run)
        self._let_go()
        self.exit()

    def action_explain(self) -> None:
        """Open the help of the screen."""
        from .screens.explain import explain

        explain(self)

    def action_command_palette(self) -> None:
        palette.open_palette(self)

    def action_change_theme(self) -> None:
        super().action_change_theme()
        self.call_after_refresh(palette.settle, self)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        return palette.commands(self, screen)

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        was_small, self._is_small = self._is_small, width < _LEAST[0] or height < _LEAST[1]
        if self._is_small and not was_small:
            said = f"This window is {width}x{height}. Everything fits from 80x24 on; here, scroll."
            self.notify(said, severity="warning")

    def _fatal_error(self) -> None:
        # Textual's own way prints hundreds of lines with the values of all variables.
        error = self._exception
        if isinstance(error, WorkerFailed):
            error = error.error
        self.crash = report(error or RuntimeError())
        self._close_messages_no_wait()


class _CancelledError(Exception):
    """The draft has changed since."""


def _screen(step: str) -> StepScreen:
    module = importlib.import_module(f".screens.{step}", __package__)
    return getattr(module, f"{step.capitalize()}Screen")()
