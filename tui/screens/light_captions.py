"""The screen of the captioners, as far as nobody has to look at a picture: shown, then written."""

from __future__ import annotations

from collections.abc import Callable

from textual import work
from textual.content import Content
from textual.worker import get_current_worker

from ...core.dataset.caption_files import CaptionFiles, Outcome
from ...core.errors import WizardError
from ..walk.captions import Proposal
from ..widgets.text import clipped, shown
from .captioning_job import CaptioningJobScreen

_MOST_SHOWN = 200


class StoppedError(Exception):
    """Something else is wanted now."""


class LightCaptionsScreen(CaptioningJobScreen):
    """Writes what was proposed."""

    def __init__(self, files: CaptionFiles) -> None:
        super().__init__()
        self.is_writing = False
        self.is_counting = False
        """Whether `looker` has said how far something is."""
        self._files = files

    @work(thread=True, exclusive=True, group="write")
    def write(self, proposal: Proposal) -> None:
        """Write it in a thread, and end with what was written."""
        look = self.looker(f"written {{}} of {len(proposal.captions)}")
        outcome: Outcome | None = None
        trouble = ""
        try:
            outcome = self._files.write(
                proposal.captions,
                proposal.title,
                mode=proposal.mode,
                progress=lambda done, _: look(done),
            )
        except StoppedError:
            trouble = "Stopped. What was written until then is undone with ctrl+z."
        except WizardError as error:
            trouble = str(error)
        self.app.call_from_thread(self._finish, outcome, trouble)

    def _finish(self, outcome: Outcome | None, trouble: str) -> None:
        self.is_writing = False
        if outcome is not None and not outcome.left:
            self.dismiss(outcome)
            return
        if outcome is not None:
            reasons = "; ".join(f"{path.name} {why}" for path, why in outcome.left.items())
            trouble = f"{len(outcome.written)} written, {len(outcome.left)} not: {reasons}"
        self.say(trouble)
        self.show_buttons()

    def looker(self, words: str) -> Callable[[int], None]:
        """Says in a thread how far it is; raises when that is no longer wanted."""
        worker = get_current_worker()

        def look(done: int) -> None:
            if worker.is_cancelled:
                raise StoppedError
            if done % 16 == 0:
                self.is_counting = True
                self.app.call_from_thread(self.say, words.format(done))

        return look


def previewed(proposal: Proposal) -> Content:
    """The first captions of a proposal, a line each."""
    lines = [
        shown(f"{clipped(path.name, 24):<24}  {text}", limit=300)
        for path, text in list(proposal.captions.items())[:_MOST_SHOWN]
    ]
    lines += [
        shown(f"{clipped(path.name, 24):<24}  - {why}", "dim", limit=300)
        for path, why in list(proposal.left.items())[:_MOST_SHOWN]
    ]
    return Content("\n").join(lines)
