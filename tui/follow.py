"""Watching a run: the run neither knows nor minds."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import subprocess
import sys
import time
from types import FrameType

from ..core.errors import EXIT_FAILED, WizardError
from ..core.run import control
from ..core.run.directory import RunDirectory, find_run
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


def start(
    directory: RunDirectory,
    *,
    module: str = TRAINING,
    as_json: bool = False,
    quiet: bool = False,
    detach: bool = False,
    limits: Limits | None = None,
) -> int:
    """Start a job in ``directory`` within ``limits`` and follow it; with ``detach``, only start it.
    Returns the exit status. Raises StartError when the job does not come up."""
    offset = _size(directory)
    with _Signals() as signals:
        process = launch(directory, module, limits)
        if warning := control.killed_at_logout():
            sys.stderr.write(f"warning: {warning}\n")
        if _is_left(directory, as_json=as_json, detach=detach):
            return 0
        return follow(
            directory,
            as_json=as_json,
            quiet=quiet,
            offset=offset,
            process=process,
            signals=signals,
        )


def go_on(directory: RunDirectory, *, as_json: bool = False, detach: bool = False) -> int:
    """Wake a job that rests and follow it; with ``detach``, only wake it. Returns the exit status.
    Raises NotLiveError when it has ended."""
    offset = _size(directory)
    control.request(directory, "resume")
    if _is_left(directory, as_json=as_json, detach=detach):
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
) -> int:
    """Show the events of a run from ``offset`` in its event file on, until the job has ended; with
    ``quiet`` only wait for it, and tell nothing but an error.

    Returns the run's own exit status (0, 1, 2, 75), or 130 when Ctrl-C ended the watching. On a
    terminal SIGTERM ends the watching, too (143); elsewhere it is passed on to the run, whose
    status then says 75.
    """
    with contextlib.ExitStack() as stack:
        signals = signals or stack.enter_context(_Signals())
        try:
            view = QuietView() if quiet else _view(as_json)
            _watch(directory, view, offset, process, signals)
        except KeyboardInterrupt:
            _say_left(directory)
            return _INTERRUPTED
        except _Terminated:
            _say_left(directory)
            return _TERMINATED
    return _say_outcome(summary(directory), directory, quiet=quiet or as_json)


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


def _view(as_json: bool) -> View:
    if as_json:
        return JsonView()
    return TerminalView() if redraws(sys.stdout) else PlainView()


def _is_left(directory: RunDirectory, *, as_json: bool, detach: bool) -> bool:
    """Name the run for who asked, and say whether that is all."""
    if as_json:
        _say_run(directory)
    elif detach:
        _say_detached(directory)
    return detach


def _say_run(directory: RunDirectory) -> None:
    """The first line for a program: paths in the events are relative to this folder."""
    line = {"kind": "run", "time": time.time(), "run": str(directory.path)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _say_detached(directory: RunDirectory) -> None:
    sys.stdout.write(f"{printable(str(directory.path))} runs on its own.\n")
    sys.stdout.write(_commands(directory))


def _say_left(directory: RunDirectory) -> None:
    sys.stderr.write(f"\nNo longer watching; the run goes on.\n{_commands(directory)}")


def _commands(directory: RunDirectory) -> str:
    name = label(directory)
    return (
        f"  watch:  lora-wizard attach {name}\n"
        f"  state:  lora-wizard status {name}\n"
        f"  stop:   lora-wizard stop {name}\n"
    )


def _say_outcome(status: RunStatus, directory: RunDirectory, *, quiet: bool) -> int:
    words = ""
    again = f"Go on with it: lora-wizard resume {label(directory)}"
    if status.state == "finished":
        last = f": {directory.path / status.last_file}" if status.last_file else "."
        words = printable(f"Finished{last}")
    elif status.state == "stopped":
        words = f"Stopped at step {status.step}.\n{again}"
    elif status.state == "failed":
        error = status.error or {}
        parts = [error.get(part, "") for part in ("title", "message", "remedy")]
        told = [printable(part, keep_newlines=True) for part in parts if part]
        sys.stderr.write("\n".join([*told, again]) + "\n")
    else:
        killed = "The run was killed from outside: by kill -9, or by the kernel, short of memory."
        sys.stderr.write(f"{wrapped(killed)}\n{again}\n")
    if words and not quiet:
        sys.stdout.write(words + "\n")
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
