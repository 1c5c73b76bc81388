"""Before a draft is opened: whether another wizard has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...core.errors import WizardError
from ..walk.draft import Draft
from ..walk.hold import HeldError, Hold, copy_of, take_over
from ..walk.open_draft import OpenDraft
from .ask import Ask, told

if TYPE_CHECKING:
    from ..app import WizardApp


def hold_or_ask(app: WizardApp, draft: Draft, go_on: Callable[[OpenDraft], None]) -> None:
    """Hold ``draft`` and ``go_on`` with it. When another wizard has it open, the person says what
    to do: end the other, work on a copy, or leave it."""
    try:
        hold = Hold(draft)
    except HeldError as error:
        _ask(app, draft, go_on, error)
    else:
        go_on(OpenDraft(draft, hold))


def _ask(app: WizardApp, draft: Draft, go_on: Callable[[OpenDraft], None], held: HeldError) -> None:
    def answered(answer: str | None) -> None:
        if answer == "here":
            app.run_worker(take, thread=True, group="hold")
        elif answer == "copy":
            try:
                copy = copy_of(draft)
            except WizardError as error:
                app.push_screen(told(error))
            else:
                go_on(OpenDraft(copy, Hold(copy)))

    def take() -> None:
        try:
            hold = take_over(draft)
            # What the other one kept last.
            newest = Draft.load(draft.path)
        except WizardError as error:
            app.call_from_thread(app.push_screen, told(error))
        else:
            app.call_from_thread(lambda: go_on(OpenDraft(newest, hold)))

    choices = [
        ("here", "Continue here; the other one is closed, and what it has is kept"),
        ("copy", "Work on a copy"),
        ("", "Back"),
    ]
    app.push_screen(Ask(held.title, held.message, choices), answered)
