"""Watching a run: the run neither knows nor minds."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

from ..core.errors import EXIT_FAILED, WizardError
from ..core.run import control
from ..core.run.directory import TRAIN, RunDirectory, find_run
from ..core.run.events import EventReader, decode
from ..core.run.launch import TRAINING, launch
from ..core.run.limits import Limits
from ..core.run.status import RunStatus, Tracker, summary
from ..core.text import printable
from .problems import wrapped
from .terminal import redraws
from .views import JsonView, PlainView, QuietView, TerminalView, View

_POLL = 0.1
_INTERRUPTED = 130
_TERMINATED = 143


class Words:
    """What is told of a run beside its events. What is no training run has its own."""

    def view(self, as_json: bool) -> View:
        """How its events are shown."""
        if as_json:
            return JsonView()
        return TerminalView() if redraws(sys.stdout) else PlainView()

    def detached(self, directory: RunDirectory) -> str:
        """That it goes on by itself, and how to come back to it."""
        return f"{printable(str(directory.path))} runs on its own.\n{self.ways(directory)}"

    def left(self, directory: RunDirectory) -> str:
        """The same, for whoever stops watching."""
        return f"No longer watching; the run goes on.\n{self.ways(directory)}"

    def ways(self, directory: RunDirectory) -> str:
        """What to type now."""
        name = label(directory)
        return (
            f"  watch:  lora-wizard attach {name}\n"
            f"  state:  lora-wizard status {name}\n"
            f"  stop:   lora-wizard stop {name}\n"
        )

    def again(self, directory: RunDirectory) -> str:
        """What to type to go on with it."""
        if directory.record().what != TRAIN:
            return printable(directory.again())
        return f"lora-wizard resume {label(directory)}"

    def ended(self, status: RunStatus, directory: RunDirectory) -> str:
        """What to say when it has finished or was stopped. Safe to show."""
        if status.state == "finished":
            last = f": {directory.path / status.last_file}" if status.last_file else "."
            return printable(f"Finished{last}")
        return f"Stopped at step {status.step}.\nGo on with it: {self.again(directory)}"


def start(
    directory: RunDirectory,
    *,
    module: str = TRAINING,
    launched: Callable[[], subprocess.Popen[bytes]] | None = None,
    as_json: bool = False,
    quiet: bool = False,
    detach: bool = False,
    limits: Limits | None = None,
    words: Words | None = None,
) -> int:
    """Start a job in ``directory`` within ``limits`` and follow it; with ``detach``, only start it.
    ``launched`` starts it where it is a task, whose events begin anew. Returns the exit status.
    Raises StartError when the job does not come up."""
    words = words or Words()
    offset = 0 if launched else _size(directory)
    with _Signals() as signals:
        process = launched() if launched else launch(directory, module, limits)
        if warning := control.killed_at_logout():
            sys.stderr.write(f"warning: {warning}\n")
        if _is_left(directory, words, as_json=as_json, detach=detach):
            return 0
        return follow(
            directory,
            as_json=as_json,
            quiet=quiet,
            offset=offset,
            process=process,
            signals=signals,
            words=words,
        )


def go_on(directory: RunDirectory, *, as_json: bool = False, detach: bool = False) -> int:
    """Wake a job that rests and follow it; with ``detach``, only wake it. Returns the exit status.
    Raises NotLiveError when it has ended."""
    offset = _size(directory)
    control.request(directory, "resume")
    if _is_left(directory, Words(), as_json=as_json, detach=detach):
        return 0
    return follow(directory, as_json=as_json, offset=offset)


def follow(
    directory: RunDirectory,
    *,
    as_json: bool = False,
    quiet: bool = False,
    offset: int = 0,
    process: subprocess.Popen[bytes] | None = None,
    signals: _Signals | None = None,
    words: Words | None = None,
) -> int:
    """Show the events of a run from ``offset`` in its event file on, until the job has ended; with
    ``quiet`` only wait for it, and tell nothing but an error.

    Returns the run's own exit status (0, 1, 2, 75), or 130 when Ctrl-C ended the watching. On a
    terminal SIGTERM ends the watching, too (143); elsewhere it is passed on to the run, whose
    status then says 75.
    """
    words = words or Words()
    with contextlib.ExitStack() as stack:
        signals = signals or stack.enter_context(_Signals())
        try:
            view = QuietView() if quiet else words.view(as_json)
            _watch(directory, view, offset, process, signals)
        except KeyboardInterrupt:
            sys.stderr.write(f"\n{words.left(directory)}")
            return _INTERRUPTED
        except _Terminated:
            sys.stderr.write(f"\n{words.left(directory)}")
            return _TERMINATED
    return _say_outcome(summary(directory), directory, words, quiet=quiet or as_json)


def label(directory: RunDirectory) -> str:
    """What to type for this run: its name where that is enough, else its path."""
    with contextlib.suppress(WizardError):
        if find_run(directory.name).path == directory.path:
            return printable(shlex.quote(directory.name))
    return printable(shlex.quote(str(directory.path)))


def _watch(
    directory: RunDirectory,
    view: View,
    offset: int,
    process: subprocess.Popen[bytes] | None,
    signals: _Signals,
) -> None:
    reader, tracker = EventReader(directory.events_path, offset), Tracker()
    with view:
        while True:
            # Asked before reading: what a job wrote before it went is then read below.
            live = directory.is_live()
            if signals.take():
                with contextlib.suppress(WizardError):
                    control.terminate(directory)
            for line in reader.lines():
                event = decode(line)
                if event is not None:
                    tracker.add(event)
                    view.event(event, line, tracker.figures)
            view.refresh(tracker.figures)
            if not live:
                break
            time.sleep(_POLL)
    if process is not None:
        process.wait()


def _is_left(directory: RunDirectory, words: Words, *, as_json: bool, detach: bool) -> bool:
    """Name the run for who asked, and say whether that is all."""
    if as_json:
        _say_run(directory)
    elif detach:
        sys.stdout.write(words.detached(directory))
    return detach


def _say_run(directory: RunDirectory) -> None:
    """The first line for a program: paths in the events are relative to this folder."""
    line = {"kind": "run", "time": time.time(), "run": str(directory.path)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _say_outcome(status: RunStatus, directory: RunDirectory, words: Words, *, quiet: bool) -> int:
    again = f"Go on with it: {words.again(directory)}" if status.resume_helps else ""
    if status.state in ("finished", "stopped"):
        if not quiet and (ended := words.ended(status, directory)):
            sys.stdout.write(f"{ended}\n")
    elif status.state == "failed":
        error = status.error or {}
        parts = [error.get(part, "") for part in ("title", "message", "remedy")]
        told = [printable(part, keep_newlines=True) for part in parts if part]
        sys.stderr.write("\n".join(filter(None, [*told, again])) + "\n")
    else:
        killed = "The run was killed from outside: by kill -9, or by the kernel, short of memory."
        sys.stderr.write(f"{wrapped(killed)}\n{again}\n")
    return EXIT_FAILED if status.exit_code is None else status.exit_code


def _size(directory: RunDirectory) -> int:
    try:
        return directory.events_path.stat().st_size
    except OSError:
        return 0


class _Terminated(BaseException):
    """SIGTERM, while watching on a terminal."""


class _Signals:
    """SIGTERM to the watcher: noted to be passed on where there is no terminal."""

    def __init__(self) -> None:
        self._asked = False
        self._before: object = None

    def __enter__(self) -> _Signals:
        self._before = signal.signal(signal.SIGTERM, self._on_signal)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGTERM, self._before)  # pyright: ignore[reportArgumentType]

    def take(self) -> bool:
        asked, self._asked = self._asked, False
        return asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if sys.stdout.isatty():
            raise _Terminated
        self._asked = True
