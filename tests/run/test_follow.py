"""Watching: over a pipe, on a terminal, and what happens to the run when the watcher goes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.events import EventReader
from lora_wizard.core.run.status import summary
from lora_wizard.tui.cli import main

from .conftest import HERE, PATIENCE, until

Start = Callable[..., subprocess.Popen[bytes]]
WATCHER = [sys.executable, str(HERE / "watcher.py")]


def watch(
    run: RunDirectory, *arguments: str, script: dict[str, object] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*WATCHER, str(run.path), *arguments],
        env=os.environ | {"JOB_SCRIPT": json.dumps(script or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class Terminal:
    """A watcher on a pseudo terminal of 80 columns."""

    def __init__(self, run: RunDirectory, *arguments: str, script: dict[str, object]) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ["JOB_SCRIPT"] = json.dumps(script)
            os.execv(sys.executable, [*WATCHER, str(run.path), *arguments])
        self.output = b""

    def read_until(self, words: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while words not in self.output:
            assert time.monotonic() < deadline, self.output
            self._read()

    def wait(self) -> int:
        """Read to the end; the exit status."""
        with contextlib.suppress(OSError):
            while self._read():
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        if not select.select([self.descriptor], [], [], 1)[0]:
            return True
        data = os.read(self.descriptor, 1 << 16)
        self.output += data
        return bool(data)


@pytest.fixture(autouse=True)
def terminal_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def going_on(run: RunDirectory) -> Iterator[Callable[[], None]]:
    """Asserts that the run still makes steps."""

    def check() -> None:
        step = summary(run).step
        until(lambda: summary(run).step > step + 2)

    yield check
    (run.control_path / "stop").touch()
    until(lambda: not run.is_live())


@pytest.mark.parametrize(
    ("script", "status"), [({}, 0), ({"fail": "ours"}, 1), ({"fail": "user"}, 2)]
)
def test_the_exit_status_is_the_runs(
    run: RunDirectory, script: dict[str, object], status: int
) -> None:
    watcher = watch(run, "--start", script=script)
    out, error = watcher.communicate()
    assert watcher.returncode == status == run.record().exit_code
    assert b"Traceback" not in out + error
    if script.get("fail") == "user":
        again = b"Go on with it: lora-wizard resume mika\n"
        assert error == b"The base model is not there\n/no/model\nDownload it.\n" + again


def test_what_a_resume_does_not_mend_is_not_sent_to_one(
    run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    _, error = watch(run, "--start", script={"fail": "for good"}).communicate()
    assert error == b"It is no number any more\nstep 3\nLower the rate.\n"
    assert main(["status", str(run.path)]) == 0
    assert "lora-wizard resume" not in capsys.readouterr().out
    assert main(["stop", str(run.path)]) == 2
    assert "lora-wizard resume" not in capsys.readouterr().err


def test_plain_lines_tell_phases_epochs_and_files(run: RunDirectory) -> None:
    out, error = watch(run, "--start", script={"steps": 25}).communicate()
    lines = out.decode().splitlines()
    assert error == b""
    assert b"\x1b" not in out
    assert lines[:2] == ["prepare (2)", "training (25)"]
    assert [line.split()[3] for line in lines if "epoch" in line] == ["1", "2", "3"]
    assert lines[-2] == "saved lora-000025.safetensors (step 25)"
    assert lines[-1] == f"Finished: {run.path}/lora-000025.safetensors"


def test_json_names_the_run_and_passes_its_events_on_as_they_are(run: RunDirectory) -> None:
    out, error = watch(run, "--start", "--json").communicate()
    first, _, events = out.partition(b"\n")
    assert json.loads(first)["run"] == str(run.path)
    assert events == run.events_path.read_bytes()
    assert error == b""


def test_quiet_tells_nothing_but_an_error(run: RunDirectory) -> None:
    assert watch(run, "--start", "--quiet").communicate() == (b"", b"")
    watcher = watch(run, "--start", "--quiet", script={"fail": "user"})
    out, error = watcher.communicate()
    assert (out, watcher.returncode) == (b"", 2)
    assert error.startswith(b"The base model is not there")


def test_hostile_events_do_not_reach_the_terminal(run: RunDirectory, start: Start) -> None:
    start(steps=10_000)
    watcher = watch(run)
    hostile = "\x1b]0;owned\x07[/foo]\r\n\u202e"
    with run.events_path.open("a") as file:
        for kind in ("phase", "saved", "problem", "sample"):
            event = {"kind": kind, "phase": hostile, "path": hostile, "message": hostile}
            file.write(json.dumps(event) + "\n")
        file.write('{"kind":"step","step":[],"loss":"x","epoch":{},"learning_rates":3}\n')
    (run.control_path / "stop").touch()
    out, error = watcher.communicate()
    assert b"owned" in out and error == b""
    assert not re.search(rb"[\x00-\x09\x0b-\x1f]", out)
    assert "\u202e" not in out.decode()
    assert watcher.returncode == 75


def test_without_a_terminal_sigterm_goes_to_the_run(run: RunDirectory) -> None:
    watcher = watch(run, "--start", script={"steps": 10_000})
    until(lambda: summary(run).step)
    watcher.terminate()
    out, _ = watcher.communicate()
    assert watcher.returncode == 75
    assert b"lora-wizard resume mika" in out
    assert [event["kind"] for event in EventReader(run.events_path).read()][-2:] == [
        "saved",
        "stopped",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
def test_a_run_outlives_its_watcher(
    run: RunDirectory, number: signal.Signals, going_on: Callable[[], None]
) -> None:
    watcher = watch(run, "--start", script={"steps": 10_000})
    until(lambda: summary(run).step)
    watcher.send_signal(number)
    _, error = watcher.communicate()
    if number == signal.SIGINT:
        assert watcher.returncode == 130
        assert b"lora-wizard attach mika" in error and b"lora-wizard stop mika" in error
    going_on()


def test_a_run_killed_from_outside_is_said(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    watcher = watch(run)
    process.kill()
    process.wait()
    _, error = watcher.communicate()
    assert watcher.returncode == 1
    assert b"killed" in error and b"lora-wizard resume mika" in error


def test_detached_says_how_to_come_back(run: RunDirectory, going_on: Callable[[], None]) -> None:
    out, _ = watch(run, "--start", "--detach", script={"steps": 10_000}).communicate()
    assert str(run.path) in out.decode() and "lora-wizard stop mika" in out.decode()
    going_on()


def test_on_a_terminal_bars_are_drawn_and_the_cursor_comes_back(run: RunDirectory) -> None:
    terminal = Terminal(run, "--start", script={"steps": 60})
    assert terminal.wait() == 0
    assert b"\x1b[?25l" in terminal.output
    assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")
    assert "━".encode() in terminal.output
    assert b"steps/s" in terminal.output


def test_ctrl_c_on_a_terminal_leaves_the_run(
    run: RunDirectory, going_on: Callable[[], None]
) -> None:
    terminal = Terminal(run, "--start", script={"steps": 10_000})
    terminal.read_until(b"steps/s")
    os.write(terminal.descriptor, b"\x03")
    assert terminal.wait() == 130
    assert b"the run goes on" in terminal.output
    assert b"\x1b[?25h" in terminal.output
    going_on()


def test_sigterm_on_a_terminal_leaves_the_run_and_the_cursor(
    run: RunDirectory, going_on: Callable[[], None]
) -> None:
    terminal = Terminal(run, "--start", script={"steps": 10_000})
    terminal.read_until(b"steps/s")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait() == 143
    assert b"\x1b[?25h" in terminal.output
    going_on()


def test_a_closed_terminal_leaves_the_run(run: RunDirectory, going_on: Callable[[], None]) -> None:
    terminal = Terminal(run, "--start", script={"steps": 10_000})
    terminal.read_until(b"steps/s")
    os.close(terminal.descriptor)
    status = os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1])
    assert status != 0
    going_on()


def test_no_color_and_dumb_terminals(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(run, "--start", script={"steps": 60})
    assert terminal.wait() == 0
    colours = re.findall(rb"\x1b\[[0-9;]*m", terminal.output)
    assert not [code for code in colours if re.search(rb"\b[349]\d", code)], colours
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal(run, "--start", script={"steps": 5})
    assert terminal.wait() == 0
    assert b"\x1b" not in terminal.output


def test_nothing_is_drawn_while_nothing_happens(run: RunDirectory) -> None:
    terminal = Terminal(run, "--start", script={"steps": 3, "hang": 600})
    terminal.read_until(b"3/3")
    settled = time.monotonic() + 1
    while time.monotonic() < settled:
        terminal._read()
    before = len(terminal.output)
    settled = time.monotonic() + 2
    while time.monotonic() < settled:
        terminal._read()
    assert len(terminal.output) == before
    os.kill(terminal.pid, signal.SIGKILL)
    os.waitpid(terminal.pid, 0)
    assert Path(run.path).exists()
