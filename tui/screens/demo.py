"""The demo, before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import WizardError
from ..walk.demo import FOLDER, prepare
from ..walk.listing import home_short
from .ask import Ask, told
from .of_run import start_run

if TYPE_CHECKING:
    from ..app import WizardApp


def offer_demo(app: WizardApp) -> None:
    """Say what will happen and where; then start it as `lora-wizard demo` would."""
    folder = Path(FOLDER).absolute()

    def start() -> None:
        try:
            run = prepare(folder).run
        except WizardError as error:
            app.call_from_thread(app.push_screen, told(error))
        else:
            app.call_from_thread(start_run, app, run)

    def answered(answer: str | None) -> None:
        if answer:
            app.run_worker(start, thread=True, group="demo", exclusive=True)

    text = (
        "Teaches a miniature model, which comes along, a creature it cannot draw. It takes about "
        "two minutes on two CPU cores; nothing is downloaded.\n\n"
        "You see the same screens as with your own pictures: the loss, the samples of every "
        f"epoch, and in the end what it learned.\n\nIts files go to {home_short(folder)}."
    )
    app.push_screen(Ask("The demo", text, [("start", "Start the demo"), ("", "Back")]), answered)
