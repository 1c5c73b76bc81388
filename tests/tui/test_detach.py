"""The terminal goes, in every way a terminal can, and the run goes on: real processes, a real
terminal, the base model that comes along."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pyte
import pytest
from lora_wizard.core.config import configfile
from lora_wizard.core.errors import WizardError
from lora_wizard.core.files import sha256_of
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.status import summary
from lora_wizard.core.templates import filled, find

PATIENCE = 90.0
STEPS = 60
FEW = [
    f"training.max_steps={STEPS}",
    "training.batch_size=1",
    "training.epochs=9",
    'dataset.regularization_folder=""',
    "samples.steps=1",
    'samples.prompts=["zibbu creature"]',
    "output.save_every_epochs=0",
]


class Terminal:
    """The monitor of a run on a pseudo terminal of 80x24."""

    def __init__(self, run: RunDirectory) -> None:
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            command = ["-m", "lora_wizard.tui.cli", "attach", str(run.path), "--images", "half"]
            os.execv(sys.executable, [sys.executable, *command])

    def wait_for(self, words: str) -> None:
        """Until ``words`` stand on the screen."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            self.read(1.0)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def read(self, seconds: float) -> int:
        """What comes within a time; how many bytes it was."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return 0
        with contextlib.suppress(OSError):
            data = os.read(self.descriptor, 1 << 16)
            self._stream.feed(data)
            return len(data)
        return 0

    def press(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def end(self) -> int:
        """Wait for the wizard to end; its status, or the negative number of a signal."""
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                with contextlib.suppress(OSError, ValueError):
                    while self.read(0.05):
                        pass
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, "the wizard stays behind"
            with contextlib.suppress(OSError, ValueError):
                self.read(0.05)


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunDirectory]:
    """A short run of the demo that nobody has started yet."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    toml = home / "demo.toml"
    toml.write_text(filled(find("demo"), {"output.folder": "."}))
    directory = RunDirectory.create(configfile.load(toml, FEW))
    yield directory
    with contextlib.suppress(WizardError):
        control.kill(directory)


def wait_until_it_trains(run: RunDirectory) -> int:
    deadline = time.monotonic() + PATIENCE
    while not (step := summary(run).step):
        assert time.monotonic() < deadline, run.log_path.read_text()
        time.sleep(0.05)
    return step


def test_a_run_outlives_every_end_of_the_wizard_that_began_it(run: RunDirectory) -> None:
    beginner = Terminal(run)
    beginner.wait_for("not started")
    beginner.press("r")
    beginner.wait_for("Go on with")
    beginner.press("\r")
    beginner.wait_for("training")
    wait_until_it_trains(run)
    # A pause gives the terminals time to come and go, and is itself watched by all of them.
    beginner.press("p")
    beginner.wait_for("Train on")
    beginner.press("\r")
    beginner.wait_for("paused after step")
    while beginner.read(1.0):
        pass
    assert beginner.read(2.0) == 0, "a run that rests is not drawn again"
    os.close(beginner.descriptor)
    beginner.end()

    for number in (signal.SIGHUP, signal.SIGKILL):
        watcher = Terminal(run)
        watcher.wait_for("paused")
        os.kill(watcher.pid, number)
        watcher.end()
        os.close(watcher.descriptor)

    left, other = Terminal(run), Terminal(run)
    left.wait_for("paused")
    other.wait_for("paused")
    assert run.is_live() and summary(run).paused
    left.press("p")
    other.wait_for("It goes on.")
    left.press("d")
    assert left.end() == 0
    assert "lora-wizard attach" in left.text, "how to come back is said"
    other.wait_for("Finished. Enter shows the results.")
    other.press("d")
    assert other.end() == 0

    status = summary(run)
    assert (status.state, status.step, status.exit_code) == ("finished", STEPS, 0)
    assert run.record().attempts == 1
    (name,) = run.manifest()
    assert sha256_of(run.path / name) == run.manifest()[name]["sha256"]
