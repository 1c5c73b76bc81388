"""The work of a captioning job: find the pictures, ask the model, write the captions."""

from __future__ import annotations

from pathlib import Path

from ...core.run.job import Job
from ...core.run.tasks import TaskDirectory
from ..base import ModelOptions
from .asking import Asker
from .pictures import Found, Wanted, find_pictures
from .reading import Opened, opened, side_of
from .results import Results
from .task import CaptionTask
from .writing import Begun, Writer, with_prefix

_MOST_TOLD = 100
"""Pictures that are left out, one by one; how many there are in all is said at the end."""
_NOTHING = "the captioner has nothing to say of it"


class Captioning:
    """One attempt at a task."""

    def __init__(self, job: Job) -> None:
        directory = TaskDirectory(job.directory.path)
        self._job = job
        self._task = CaptionTask(**directory.values())
        self._spec = self._task.spec()
        self._options: ModelOptions = self._task.model_options()
        self._results = Results(directory.path / "results.jsonl", self._task.settings_key())
        self._begun = Begun(directory.path / "begun.json", self._task, self._spec.title)
        self._total = self._done = self._left = 0

    def run(self) -> None:
        """Do all of it, as far as nobody asks for a stop. Raises WizardError, Stopped."""
        job = self._job
        job.phase("find pictures")
        found = find_pictures(self._task, lambda done, total: job.progress(done))
        pictures = [wanted.file.path for wanted in found.wanted]
        if self._begun.is_new:
            self._begun.note(() if self._task.mode == "missing" else pictures)
        else:
            self._task.files.tidy()
        self._total = len(pictures)
        writer = Writer(self._task, self._begun, self._total)
        for path, reason in found.left.items():
            self._leave_out(path, reason)
        job.may_end_now = False
        try:
            self._caption(found.wanted, writer)
        finally:
            self._write(writer)
            self._say_outcome(writer, found)
        job.check_stop()
        self._begun.forget()

    def _caption(self, pictures: list[Wanted], writer: Writer) -> None:
        """Take up what is known already, and ask of the rest."""
        unknown: list[Wanted] = []
        for wanted in pictures:
            text = self._known(wanted)
            if text is None:
                unknown.append(wanted)
            else:
                self._take(writer, wanted, text)
        if not unknown or self._job.stop_requested:
            return
        asker = self._load(writer)
        batch: list[Opened] = []
        known, job = self._results, self._job
        coming = opened(
            unknown,
            lambda content: known.has(content=content),
            asker.batch_size,
            side_of(self._options),
        )
        for picture in coming:
            if job.stop_requested:
                break
            if picture.reason:
                self._leave_out(picture.wanted.file.path, picture.reason)
                self._step()
            elif picture.image is None:
                self._keep(writer, picture, known.find(content=picture.content) or "")
            else:
                batch.append(picture)
            if len(batch) >= asker.batch_size:
                self._ask(asker, batch, writer)
                batch.clear()
        coming.close()
        if batch and not job.stop_requested:
            self._ask(asker, batch, writer)

    def _known(self, wanted: Wanted) -> str | None:
        try:
            return self._results.find(file=wanted.file)
        except OSError:
            # It has gone since the folder was listed, which is told when it is opened.
            return None

    def _ask(self, asker: Asker, batch: list[Opened], writer: Writer) -> None:
        for picture, text, reason in asker.answers(batch):
            if reason:
                self._leave_out(picture.wanted.file.path, reason)
                self._step()
                continue
            self._keep(writer, picture, text)
            if text:
                wanted = picture.wanted
                name, caption = self._relative(wanted.file.path), with_prefix(text, wanted.prefix)
                self._job.emit("captioned", picture=str(name), text=caption)
            if self._job.stop_requested:
                return

    def _load(self, writer: Writer) -> Asker:
        """The model. It takes a while, and a stop ends it at once: nothing may wait to be written
        meanwhile."""
        writer.flush()
        self._job.may_end_now = True
        self._job.phase("load captioner")
        model = self._spec.load(self._options)
        self._job.may_end_now = False
        self._job.phase("caption", total=self._total)
        return Asker(model, self._options.batch_size, self._warn)

    def _keep(self, writer: Writer, picture: Opened, text: str) -> None:
        """An answer: into the results first, which nothing destroys."""
        wanted = picture.wanted
        self._results.add(wanted.file, picture.content, text)
        self._take(writer, wanted, text)

    def _take(self, writer: Writer, wanted: Wanted, text: str) -> None:
        if text:
            writer.add(wanted, text)
        else:
            self._leave_out(wanted.file.path, _NOTHING)
        self._step()

    def _step(self) -> None:
        self._done += 1
        self._job.progress(self._done)

    def _write(self, writer: Writer) -> None:
        self._results.sync()
        if writer.waiting:
            self._job.phase("write captions", total=writer.waiting)
            writer.flush(lambda done, total: self._job.progress(done))

    def _say_outcome(self, writer: Writer, found: Found) -> None:
        for path, reason in writer.left.items():
            self._leave_out(path, reason)
        self._job.emit(
            "captions",
            written=writer.written,
            same=writer.same,
            kept=found.kept,
            left=self._left,
            waiting=self._total - self._done,
        )

    def _leave_out(self, picture: Path, reason: str) -> None:
        self._left += 1
        if self._left <= _MOST_TOLD:
            where = str(self._relative(picture))
            self._job.emit("problem", severity="warning", where=where, message=f"left: {reason}")

    def _warn(self, words: str) -> None:
        self._job.emit("problem", severity="warning", message=words)

    def _relative(self, picture: Path) -> Path:
        root = self._task.root
        return picture.relative_to(root) if picture.is_relative_to(root) else picture
