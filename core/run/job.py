"""What a job's own process holds: its lock, its events, its log, and its ears for a stop.

::

    def train(job: Job) -> None:
        job.phase("load model")
        ...
        job.may_end_now = False            # from the first step on, a stop saves first
        job.phase("train", total=steps)
        for ...:
            ...                            # one optimizer step
            job.emit("step", step=step, total=steps, epoch=epoch, loss=loss)
            if "save" in job.take_requests(): ...
            if job.pause_requested: ...    # save the state, then `paused`
            if job.stop_requested:
                save()
                job.check_stop()           # raises Stopped

    sys.exit(run_job(directory, train))

Import torch inside the function, not above it: the launcher waits until the lock is taken.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from ..errors import EXIT_FAILED, EXIT_STOPPED, WizardError
from ..files import sweep
from . import follow_up, registry
from .directory import TRAIN, Outcome, RunDirectory, wizard_version
from .events import EventWriter
from .limits import Deadline, Limits
from .lock import RunLock
from .redaction import without_secrets
from .reserve import Reserve
from .stop_signals import stop_signals
from .streams import append_line, unbreakable_streams
from .wording import in_words, phase_in_words

_REQUESTS = ("save", "sample")
_STANDING = ("stop", "pause")
"""Requests that last until they are taken back or obeyed."""
_REST = 0.1
_PAUSED_SIGN = 60.0
_PROGRESS_INTERVAL = 0.5
_STEP_LOG_INTERVAL = 10.0


class Stopped(BaseException):
    """The job ends before its end because it was asked to. Not an Exception: nothing that swallows
    errors on the way up may swallow it."""


class Job:
    """A running job. Only `hold` makes one."""

    def __init__(self, directory: RunDirectory, lock: RunLock) -> None:
        self.directory = directory
        self.exit_code = 0
        """Of the process, once the ``with`` block is left: 0, 1, 2 or 75."""
        self.may_end_now = True
        """While true, a stop ends the job wherever it is: at once on SIGTERM, at the next `phase`,
        `progress` or `check_stop` on a request. Set it to False before the first step."""
        self.afterwards: Callable[[], object] = lambda: None
        """Done last of all, when the run's record says how it has ended; what it raises is logged
        and changes nothing."""
        self._lock = lock
        self.reserve = Reserve(directory.control_path / "reserve")
        self._events = EventWriter(directory.events_path)
        self._stop_by = ""
        self.deadline = Deadline(Limits.take())
        self._stop_told = False
        self._told_to_end = False
        self._phase = "start"
        self._total: int | None = None
        self._last_progress = 0.0
        self._last_step_logged = 0.0

    @classmethod
    @contextlib.contextmanager
    def hold(cls, directory: RunDirectory | Path) -> Iterator[Job]:
        """Take ``directory`` and work in it; leaving the block writes how it ended.

        Every error raised inside is recorded and not raised again: ask `exit_code` afterwards.
        Raises AlreadyRunningError, without touching anything, when another job holds the directory.
        """
        run = directory if isinstance(directory, RunDirectory) else RunDirectory.open(directory)
        lock = RunLock.take(run.lock_path)
        try:
            job = cls(run, lock)
            with stop_signals(job._on_stop_signal), unbreakable_streams():
                try:
                    job._begin()
                    yield job
                except BaseException as error:
                    job._end(error)
                else:
                    job._end(None)
                finally:
                    # Before the handlers go: whoever holds the lock is sent signals, and one that
                    # came now would end the process with a status that is not the run's.
                    lock.release()
                    job._follow_up()
        finally:
            lock.release()

    @property
    def stop_requested(self) -> bool:
        """Whether the job should save and end. Cheap: a few microseconds."""
        if not self._stop_by and (self.directory.control_path / "stop").exists():
            self._stop_by = "request"
        if not self._stop_by and self.deadline.is_near():
            self._stop_by = self.deadline.limits.because
        if self._stop_by and not self._stop_told:
            self._stop_told = True
            self.emit("stopping", by=self._stop_by)
        return bool(self._stop_by)

    def check_stop(self) -> None:
        """Raise Stopped when a stop was asked for."""
        if self.stop_requested:
            raise Stopped

    @property
    def pause_requested(self) -> bool:
        """Whether the job should save its state and rest. Cheap, as `stop_requested`."""
        return (self.directory.control_path / "pause").exists()

    def paused(self, step: int) -> Iterator[set[str]]:
        """Rest until the pause or the whole run is over; gives what is asked for meanwhile, as
        `take_requests` does. Now and then it gives a sign of life."""
        self.emit("paused", step=step)
        self.phase("paused")
        signed = time.monotonic()
        while self.pause_requested and not self.stop_requested:
            if asked := self.take_requests():
                yield asked
                self.phase("paused")
            elif time.monotonic() - signed >= _PAUSED_SIGN:
                signed = time.monotonic()
                self.emit("progress", phase="paused", done=step, total=None)
            else:
                time.sleep(_REST)
        if not self.stop_requested:
            self.emit("resumed")

    def take_requests(self) -> set[str]:
        """What was asked for since the last call, of ``save`` and ``sample``; each once."""
        taken: set[str] = set()
        for name in _REQUESTS:
            with contextlib.suppress(OSError):
                (self.directory.control_path / name).unlink()
                taken.add(name)
        return taken

    def phase(self, name: str, total: int | None = None) -> None:
        """Say what comes next (`wording` has the words for people), and how many items or steps it
        has."""
        self._phase, self._total, self._last_progress = name, total, 0.0
        self.emit("phase", phase=name, total=total)
        words = phase_in_words(name)
        self.log(words if total is None else f"{words} ({total})")
        if self.may_end_now:
            self.check_stop()

    def progress(self, done: int, **figures: Any) -> None:
        """Say how far the phase is. Call it as often as you like: twice a second is written, and
        the last one."""
        now = time.monotonic()
        if done == self._total or now - self._last_progress >= _PROGRESS_INTERVAL:
            self._last_progress = now
            self.emit("progress", phase=self._phase, done=done, total=self._total, **figures)
        if self.may_end_now:
            self.check_stop()

    def emit(self, kind: str, **fields: Any) -> None:
        """Write one event (core.run.events has the kinds); never raises. What people should read
        goes to the log, too."""
        fields = without_secrets(fields)
        self.deadline.hear(kind, fields)
        self._events.emit(kind, **fields)
        if kind == "step":
            now = time.monotonic()
            if now - self._last_step_logged < _STEP_LOG_INTERVAL:
                return
            self._last_step_logged = now
        if line := in_words(kind, fields):
            self.log(line)

    def log(self, text: str) -> None:
        """Append a line to trainer.log; never raises."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        append_line(self.directory.log_path, f"{stamp} {without_secrets(text)}")

    def _begin(self) -> None:
        sweep(self.directory.path)
        self.directory.control_path.mkdir(exist_ok=True)
        self.reserve.keep()
        for leftover in (*_STANDING, *_REQUESTS):
            (self.directory.control_path / leftover).unlink(missing_ok=True)
        was_damaged = self.directory.record_is_damaged()
        record = self.directory.record()
        record = self.directory.update(
            outcome="running",
            attempts=record.attempts + 1,
            exit_code=None,
            error=None,
            resume_helps=True,
            pid=os.getpid(),
        )
        if record.what == TRAIN:
            registry.remember(self.directory.path)
        told = self.deadline.limits.told()
        attempt = record.attempts
        self.emit("started", what=record.what, version=wizard_version(), attempt=attempt, **told)
        if was_damaged:
            message = "run.json was damaged, and is made anew from what the events tell"
            self.emit("problem", severity="warning", message=message)
        # Only now: requests made before would have been swept away above.
        self._lock.announce()

    def _end(self, error: BaseException | None) -> None:
        self.may_end_now = False
        self.reserve.give()
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self._finish("finished", 0)
        elif self._told_to_end or isinstance(error, (Stopped, KeyboardInterrupt)):
            # C code, as in the import of numpy, may swallow Stopped and fail with something else.
            self._finish("stopped", EXIT_STOPPED)
        else:
            self._fail(error)
        try:
            self.afterwards()
        except BaseException as failure:
            self.log(f"after the end: {type(failure).__name__}: {failure}")
        for leftover in (*_STANDING, *_REQUESTS):
            with contextlib.suppress(OSError):
                (self.directory.control_path / leftover).unlink()
        self._events.close()

    def _fail(self, error: BaseException) -> None:
        resume_helps = not isinstance(error, WizardError) or error.resume_helps
        if isinstance(error, WizardError):
            facts = {"title": error.title, "message": error.message, "remedy": error.remedy}
            code = error.exit_code
        else:
            facts = {
                "title": "The run failed with an error that is not yours",
                "message": f"{type(error).__name__}: {error}",
                "remedy": f"The full report is at the end of {self.directory.log_path}.",
            }
            code = EXIT_FAILED
        self.log("".join(traceback.format_exception(error)).rstrip())
        facts = without_secrets(facts)
        self.emit("failed", **facts)
        self._finish("failed", code, error=facts, resume_helps=resume_helps)

    def _finish(self, outcome: Outcome, code: int, **more: Any) -> None:
        self.exit_code = code
        if outcome != "failed":
            self.emit(outcome)
        try:
            self.directory.update(outcome=outcome, exit_code=code, **more)
        except WizardError as problem:
            self.log(str(problem))

    def _follow_up(self) -> None:
        """What was asked for when the job is over; not after a person ended it."""
        limits = self.deadline.limits
        if not limits.then or (self._stop_by and self._stop_by != limits.because):
            return
        try:
            self.log(follow_up.start(self.directory, limits.then))
        except (OSError, WizardError) as error:
            self.log(f"the command for afterwards could not be started: {error}")

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        again = bool(self._stop_by)
        self._stop_by = self._stop_by or signal.Signals(number).name
        if self.may_end_now:
            self._told_to_end = True
            raise Stopped
        if again and number == signal.SIGINT:
            raise KeyboardInterrupt


def run_job(path: Path | str, work: Callable[[Job], None]) -> int:
    """Hold the run at ``path``, do ``work``, return the exit code: the body of a job's
    ``__main__``."""
    try:
        with Job.hold(RunDirectory.open(path)) as job:
            work(job)
    except WizardError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return job.exit_code
