"""Jobs as real processes that start in milliseconds.

A server imports torch once and forks a child for every job. The children are ordinary processes:
they are killed, signalled and waited for as such. Run as a script, this is the server.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_IMPORTED_ONCE = (
    "peft",
    "lora_wizard.core.families.sd1_model",
    "lora_wizard.core.sampling.drawing",
    "lora_wizard.core.training.preparation",
)


TRAIN = "lora_wizard.core.training.__main__:train"


class ForkedJob:
    """One job in a process of its own."""

    def __init__(self, server: subprocess.Popen[str], pid: int) -> None:
        self._server, self.pid = server, pid
        self._status: int | None = None

    def send(self, number: signal.Signals) -> None:
        # Reaped by the server alone, so the pid is still this job's or a zombie's.
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit status, or the negative number of the signal that ended it."""
        if self._status is None:
            assert self._server.stdout is not None
            self._status = int(self._server.stdout.readline())
        return self._status


class ForkServer:
    """Starts jobs, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, run: Path, cache: Path, crash_at: int = 0, work: str = TRAIN) -> ForkedJob:
        """Do ``work`` (``module:function of a job``) in the run directory ``run``, with its caches
        below ``cache``. With ``crash_at`` the process kills itself at its nth change to the file
        system: just before it, or, where that is the opening of a file to write, just after, with
        nothing written yet. n beyond the last lets it finish."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"run": str(run), "cache": str(cache), "crash_at": crash_at, "work": work}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return ForkedJob(self._process, int(self._process.stdout.readline()))

    def finish(self, run: Path, cache: Path) -> int:
        """Train ``run`` to its end, or as far as it goes; returns the exit status."""
        return self.start(run, cache).wait()


@contextmanager
def fork_server(*import_paths: Path) -> Iterator[ForkServer]:
    """A server whose jobs also find what lies in ``import_paths``."""
    paths = os.pathsep.join([str(Path(__file__).parent), *map(str, import_paths)])
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        yield ForkServer(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=30)


def _serve() -> None:
    for module in _IMPORTED_ONCE:
        importlib.import_module(module)
    importlib.import_module("torch").set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _work(order)
        _answer(pid)
        _, status = os.waitpid(pid, 0)
        _answer(os.waitstatus_to_exitcode(status))


def _work(order: Mapping[str, Any]) -> None:
    from lora_wizard.core.run.job import run_job

    code = 70
    try:
        os.environ["XDG_CACHE_HOME"] = order["cache"]
        # What a job prints must not mingle with the answers.
        os.dup2(2, 1)
        if order["crash_at"]:
            crash_at(order["crash_at"])
        module, _, name = order["work"].partition(":")
        code = run_job(order["run"], getattr(importlib.import_module(module), name))
    finally:
        os._exit(code)


def crash_at(count: int) -> None:
    """As `ForkServer.start` says, in this process."""
    left = count
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    changes = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in changes or (event == "open" and arguments[2] & writing):
            left -= 1
            if left == 0 and event == "open":
                sys.setprofile(lambda frame, what, argument: _die())
            elif left == 0:
                _die()

    sys.addaudithook(hook)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve()
