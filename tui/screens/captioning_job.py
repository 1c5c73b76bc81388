"""The screen of the captioners, as far as it has to do with the job."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.message import Message
from textual.widgets import Button, Static
from textual.worker import get_current_worker

from ...captioners.job import writing
from ...core.dataset.caption_files import CaptionFiles
from ...core.errors import WizardError
from ...core.run import control
from ...core.run.lock import AlreadyRunningError
from ...core.run.status import integer
from ...core.run.tasks import TaskDirectory
from ..walk import captioning
from ..walk.captioning import Asked, undone_words
from ..widgets.captioning_pane import CaptioningPane
from ..widgets.picture import Picture
from ..widgets.task_pane import TaskPane
from ..widgets.text import shown
from .write_captions_layout import WriteCaptionsLayout


class CaptioningJobScreen(WriteCaptionsLayout):
    """Begins the job, finds one that goes on, watches it, ends it, and takes back what it wrote.
    Leaving the screen leaves the job alone."""

    class Begun(Message):
        """The job is there, or why it is not."""

        def __init__(self, task: TaskDirectory, error: WizardError | None = None) -> None:
            super().__init__()
            self.task = task
            self.error = error

    class Told(Message):
        """Something is to be said; ``is_undone``: captions are as they were before."""

        def __init__(self, words: str, *, is_undone: bool = False) -> None:
            super().__init__()
            self.words = words
            self.is_undone = is_undone

    def __init__(self) -> None:
        super().__init__()
        self.is_live = False
        self.undoable = False
        """Whether a captioning is remembered that can be taken back."""
        self._is_known = False
        self._is_undoing = False

    @property
    def pane(self) -> CaptioningPane:
        """The view of the job."""
        return self.query_one(CaptioningPane)

    @property
    def job(self) -> TaskDirectory | None:
        """The job about the draft's pictures, begun or not."""
        return captioning.directory(self.app.draft, self.app.assessment)

    def find_job(self) -> None:
        """Show the job that goes on, or how the last one has ended."""
        job = self.job
        if job is None:
            return
        if captioning.is_live(job):
            self.turn_live(True)
            self._follow(job)
        elif job.exists:
            self._is_known = True
            self.pane.follow(job, self._root, before="Last time: ")

    def action_leave(self) -> None:
        """Back to the captions."""
        self.dismiss(None)

    def action_stop(self) -> None:
        """End it after the pictures that it looks at."""
        if (task := self.job) is not None and self.is_live:
            try:
                control.request(task, "stop")
            except WizardError as error:
                self.say(str(error))
            else:
                self.say("It finishes what it looks at, and writes what it found.")

    def action_turn(self) -> None:
        """Between the settings and how it has gone."""
        if not self.is_live and self._is_known:
            self.show_view(is_watching=not self.has_class("-watching"))

    def action_enlarge(self) -> None:
        """The newest picture in all of the terminal."""
        self.query_one(Picture).action_enlarge()

    def action_undo(self) -> None:
        """Bring back what stood in the files before the last captioning."""
        if self.can_undo:
            self._is_undoing = True
            self._undo(captioning.pictures_of(self.app.draft, self.app.assessment).files)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to bring back, and nobody who writes meanwhile."""
        return self.undoable and not self.is_live and not self._is_undoing

    def begin_job(self, wanted: Asked) -> None:
        """Begin, or go on."""
        self.turn_live(True)
        self.pane.clear(wanted.task.root)
        self._begin(wanted)

    def turn_live(self, live: bool) -> None:
        """Show that it goes on, or no longer does."""
        self.is_live = live
        self._is_known = self._is_known or live
        self.set_class(live, "-live")
        if live:
            self.show_view(is_watching=True)
            self.say("It goes on by itself: esc leaves it alone, F3 ends it.")
        self.show_buttons()

    def show_view(self, *, is_watching: bool) -> None:
        """Show one of the two views, and give it the focus."""
        self.set_class(is_watching, "-watching")
        if is_watching:
            found = self.query_one("#found")
            (found if found.display else self.query_one("#leave")).focus()
        else:
            self.query_one("#captioners").focus()
        self.show_buttons()

    def show_buttons(self) -> None:
        """Show what can be done now."""
        for name in ("stop", "undo", "turn"):
            shows = self.check_action(name, ()) is True
            self.query_one(f"#{name}", Button).display = shows
        turn = "Settings" if self.has_class("-watching") else "Last captions"
        button = self.query_one("#turn", Button)
        if str(button.label) != turn:
            button.label = turn
            button.refresh(layout=True)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop":
            return self.is_live
        if action == "turn":
            return not self.is_live and self._is_known
        if action == "undo":
            return self.can_undo
        if action == "enlarge":
            return self.has_class("-watching")
        return True

    def say(self, words: str) -> None:
        """Above the buttons."""
        self.query_one("#told", Static).update(shown(words))

    def look_anew(self) -> None:
        """Captions were written, or taken back; the subclass looks what is left to do."""

    @property
    def _root(self) -> Path:
        return captioning.pictures_of(self.app.draft, self.app.assessment).root

    @work(thread=True, group="begin")
    def _begin(self, wanted: Asked) -> None:
        try:
            captioning.begin(wanted)
        except AlreadyRunningError:
            # Somebody else was quicker: it is shown.
            self.post_message(self.Begun(wanted.directory))
        except WizardError as error:
            self.post_message(self.Begun(wanted.directory, error))
        else:
            self.post_message(self.Begun(wanted.directory))

    def _follow(self, job: TaskDirectory) -> None:
        self.pane.follow(job, self._root, is_beginning=lambda: captioning.is_beginning(job))

    @work(thread=True, group="undo", exclusive=True)
    def _undo(self, files: CaptionFiles) -> None:
        worker = get_current_worker()

        def look(done: int, total: int) -> None:
            if done % 100 == 0 and not worker.is_cancelled:
                self.post_message(self.Told(f"bringing back {done} of {total}"))

        try:
            changes = writing.latest(files)
            outcome = writing.undo(files, changes, look)
        except WizardError as error:
            self.post_message(self.Told(str(error), is_undone=True))
        else:
            title = changes[0].title if changes else ""
            self.post_message(self.Told(undone_words(title, outcome), is_undone=True))

    @on(Begun)
    def _begun(self, event: Begun) -> None:
        event.stop()
        if event.error:
            self.turn_live(False)
            self.say("")
            self.pane.say(f"✗ {event.error}")
            self.look_anew()
        else:
            self._follow(event.task)

    @on(Told)
    def _said(self, event: Told) -> None:
        event.stop()
        self.say(event.words)
        if event.is_undone:
            self._is_undoing = False
            self.app.touch()
            self.look_anew()

    @on(TaskPane.Gone)
    def _gone(self, event: TaskPane.Gone) -> None:
        event.stop()
        self.turn_live(False)
        self.say("")
        self.pane.say("There is no job that could be shown.")

    @on(CaptioningPane.Heard)
    def _heard(self, event: CaptioningPane.Heard) -> None:
        event.stop()
        if not event.news.is_over:
            return
        if self.is_live:
            self.turn_live(False)
            heard = self.pane.heard
            written = integer(heard.outcome.get("written")) if heard else 0
            self.say("F4 goes back to the settings, esc to your captions." if written else "")
            self.app.touch()
        self.look_anew()
