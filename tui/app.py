"""The full-screen wizard: holds the draft and what is known of it, and moves between screens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from .farewell import Left
from .screens import palette
from .screens.assessing import LiveAssessment
from .screens.begin import hold_or_ask
from .screens.home import HomeScreen
from .screens.leaving import left_on
from .screens.step import screen_of
from .terminal_app import TerminalApp
from .walk.assessment import Assessment
from .walk.draft import Draft
from .walk.open_draft import OpenDraft

if TYPE_CHECKING:
    from .terminal.capabilities import Capabilities


class WizardApp(TerminalApp):
    """The app. A screen asks it for `draft`, tells it with `touch` that it changed the draft, and
    leaves with `go` or `go_home`; to those of a run see `screens.of_run`."""

    def __init__(
        self,
        first: Screen[None] | None = None,
        *,
        draft: Draft | None = None,
        capabilities: Capabilities | None = None,
    ) -> None:
        """Opens ``first``, or the walk through ``draft``, or Home."""
        super().__init__(capabilities)
        self.assessing = LiveAssessment(self)
        self.left = Left()
        self._first, self._first_draft = first, draft
        self._open: OpenDraft | None = None

    @property
    def draft(self) -> Draft:
        """The draft of the walk. Only screens of the walk ask."""
        assert self._open is not None
        return self._open.draft

    @property
    def assessment(self) -> Assessment | None:
        """What is known of it."""
        return self.assessing.latest

    def touch(self) -> None:
        """The draft has changed: look at it again as soon as nobody types."""
        if said := self.draft.take_trouble():
            self.notify(said, severity="error", timeout=30)
        self.assessing.look()

    def show_first(self) -> None:
        """Home, and on it what the app was opened for."""
        self.push_screen(HomeScreen())
        if self._first:
            self.push_screen(self._first)
        elif self._first_draft:
            self.begin(self._first_draft)

    def begin(self, draft: Draft) -> None:
        """Walk through ``draft`` from where it was left; asks first when another wizard has it."""
        hold_or_ask(self, draft, self._begin)

    def _begin(self, opened: OpenDraft) -> None:
        self._open = opened
        self.assessing.follow(self.draft)
        self.push_screen(screen_of(self.draft.step))
        self.touch()

    def go(self, step: str) -> None:
        """To a step of the walk."""
        self.switch_screen(screen_of(step))

    def go_home(self) -> None:
        """Leave the walk or the run; the draft is kept."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, HomeScreen):
            self.pop_screen()
        self._let_go()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        return palette.commands(self, screen)

    async def action_quit(self) -> None:
        self.left = left_on(self.screen_stack)
        self._let_go()
        self.exit()

    def _let_go(self) -> None:
        if self._open:
            self._open.let_go()
