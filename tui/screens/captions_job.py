"""The step of the captions while a job writes some: a line that says so."""

from __future__ import annotations

from textual import on

from ...core.dataset.caption_files import Change, Outcome
from ..walk import captioning, captions
from ..walk.assessment import Assessment
from ..widgets.task_pane import TaskPane
from .captions_layout import CaptionsLayout
from .captions_undo import undo


class CaptionsJob(CaptionsLayout):
    """Follows a captioning of the draft's pictures, whoever has begun it, for as long as it goes
    on; nothing is asked when none does."""

    DEFAULT_CSS = """
    CaptionsJob TaskPane { padding: 0 1; }
    """

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.look_for_job()

    def show_assessment(self, assessment: Assessment) -> None:
        """Take what is known of the draft, and with it, which job would be about its pictures."""
        super().show_assessment(assessment)
        self.look_for_job()

    def look_for_job(self) -> None:
        """Say that one goes on, if it does."""
        job = captioning.directory(self.app.draft, self.app.assessment)
        if job is None or self.is_captioning or not captioning.is_live(job):
            return
        pane = TaskPane()
        self.mount(pane, before="#told")
        pane.call_after_refresh(pane.follow, job, lambda: captioning.is_beginning(job))

    @property
    def is_captioning(self) -> bool:
        """Whether a job goes on."""
        return bool(self.query(TaskPane))

    def captions_written(self) -> None:
        """The job has come to its end, or another screen has written: the files say it."""

    def undo_last(self, files: captions.CaptionFiles) -> None:
        """Bring back what the last change has replaced."""
        if self.is_captioning:
            self.tell("A captioner is writing. F5 shows it; F3 there ends it.")
        elif changes := captions.last_changes(files):
            undo(self, files, changes, tell=self.tell, done=self.undone)
        else:
            self.tell("There is nothing to undo.")

    def undone(self, change: Change, outcome: Outcome) -> None:
        """What ``change`` has replaced is there again."""

    def tell(self, text: str) -> None:
        """Say it below the pictures."""

    @on(TaskPane.News)
    def _job_told(self, event: TaskPane.News) -> None:
        event.stop()
        if event.news.is_over:
            event.pane.remove()
            self.tell(f"The captioner has ended: {event.news.in_words()} F5 has the details.")
            self.captions_written()
        else:
            # Without the bar there is room for all of it on 80 columns.
            words = event.news.in_words().lstrip("█░ ")
            event.pane.say(f"A captioner writes: {words} (F5 shows it)")

    @on(TaskPane.Gone)
    def _job_gone(self, event: TaskPane.Gone) -> None:
        event.stop()
        event.pane.remove()
