"""Jobs as real processes: how they end, what they hear, what they leave."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lora_wizard.core.errors import WizardError
from lora_wizard.core.files import TEMPORARY_MARK
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.events import EventReader
from lora_wizard.core.run.job import Job
from lora_wizard.core.run.lock import AlreadyRunningError
from lora_wizard.core.run.status import summary

from .conftest import until

Start = Callable[..., subprocess.Popen[bytes]]


def kinds(run: RunDirectory) -> list[str]:
    return [event["kind"] for event in EventReader(run.events_path).read()]


def test_a_run_to_its_end(run: RunDirectory, start: Start) -> None:
    assert start(steps=3).wait() == 0
    record = run.record()
    assert (record.outcome, record.exit_code, record.attempts) == ("finished", 0, 1)
    assert [kind for kind in kinds(run) if kind != "progress"] == [
        "started", "phase", "phase", "step", "step", "step", "saved", "finished",
    ]  # fmt: skip
    assert list(run.control_path.iterdir()) == []
    log = run.log_path.read_text()
    assert "training (3)" in log and "saved lora-000003.safetensors" in log


def test_a_stop_request_saves_and_ends_with_75(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    control.request(run, "stop")
    assert process.wait() == 75
    assert run.record().outcome == "stopped" and run.record().exit_code == 75
    assert kinds(run)[-3:] == ["stopping", "saved", "stopped"]


def test_sigterm_that_an_import_swallows_ends_with_75(run: RunDirectory, start: Start) -> None:
    assert start(swallow=True).wait() == 75
    assert run.record().outcome == "stopped" and kinds(run)[-1] == "stopped"


def test_sigterm_in_a_step_saves_and_ends_with_75(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    control.terminate(run)
    control_again = time.monotonic()
    with pytest.raises(WizardError, match="not going on"):
        while time.monotonic() - control_again < 30:
            control.terminate(run)
            time.sleep(0.01)
    assert process.wait() == 75, "a second signal must not hurt"
    assert kinds(run)[-3:] == ["stopping", "saved", "stopped"]


def test_sigterm_before_the_first_step_ends_at_once(run: RunDirectory, start: Start) -> None:
    process = start(items=1, pause=600)
    process.terminate()
    assert process.wait() == 75
    assert run.record().outcome == "stopped"
    assert "saved" not in kinds(run)


def test_a_request_before_the_first_step_ends_at_the_next_item(
    run: RunDirectory, start: Start
) -> None:
    process = start(items=10_000)
    control.request(run, "stop")
    assert process.wait() == 75
    assert kinds(run)[-1] == "stopped"


def test_requests_are_obeyed_once(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    control.request(run, "save")
    until(lambda: "saved" in kinds(run))
    step = summary(run).step
    until(lambda: summary(run).step > step + 3)
    assert kinds(run).count("saved") == 1
    process.kill()


def test_a_closed_terminal_is_not_noticed(run: RunDirectory, start: Start) -> None:
    process = start(steps=10)
    for _ in range(5):
        process.send_signal(signal.SIGHUP)
    assert process.wait() == 0


def test_after_kill_9_the_run_is_killed_and_clean_for_the_next(
    run: RunDirectory, start: Start
) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    (run.control_path / "stop").touch()
    process.kill()
    process.wait()
    (run.control_path / "stop").touch()
    (run.state_path / f"{TEMPORARY_MARK}orphan").touch()
    assert summary(run).state == "killed"
    with pytest.raises(WizardError, match="not going on"):
        control.request(run, "stop")
    assert start(steps=3).wait() == 0, "a request to a dead job must not end the next one"
    assert run.record().attempts == 2
    assert not list(run.state_path.iterdir())
    status = summary(run)
    assert (status.state, status.step, status.total) == ("finished", 3, 3)


def test_the_users_mistake_is_told_without_a_traceback(run: RunDirectory, start: Start) -> None:
    assert start(fail="user").wait() == 2
    record = run.record()
    assert record.outcome == "failed" and record.exit_code == 2
    assert record.error == {
        "title": "The base model is not there",
        "message": "/no/model",
        "remedy": "Download it.",
    }
    assert EventReader(run.events_path).read()[-1]["title"] == "The base model is not there"


def test_our_mistake_is_told_in_a_line_and_whole_in_the_log(
    run: RunDirectory, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "of-no-known-form-0123456789"
    monkeypatch.setenv("HF_TOKEN", secret)
    assert start(fail="ours").wait() == 1
    error = run.record().error or {}
    assert error["message"] == "RuntimeError: a mistake with ***"
    assert "\n" not in error["message"]
    assert "Traceback" in run.log_path.read_text()
    for path in run.path.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path


def test_a_second_job_is_refused_and_changes_nothing(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    control.request(run, "save")
    refused = subprocess.run([sys.executable, "-m", "jobs", run.path], capture_output=True)
    assert refused.returncode == 2
    assert b"already going on" in refused.stderr and b"Traceback" not in refused.stderr
    until(lambda: "saved" in kinds(run))
    assert run.record().attempts == 1
    process.kill()


def test_a_full_disk_stops_neither_the_steps_nor_the_last_words(
    run: RunDirectory, start: Start, tmp_path: Path
) -> None:
    disk = run.path
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    shutil.copytree(run.path, tmp_path / "copy")
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own cannot be mounted")
    shutil.copytree(tmp_path / "copy", run.path, dirs_exist_ok=True)
    try:
        process = start(steps=200, pause=0.01, chatter=True, save=False)
        until(lambda: summary(run).step)
        with (disk / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 10, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))
        assert process.wait() == 0
        assert summary(run).state == "finished"
        assert summary(run).step < 200, "the disk was not full: the test tests nothing"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_job_can_be_held_again_in_the_same_process(run: RunDirectory) -> None:
    for _ in range(2):
        with Job.hold(run) as job:
            assert run.is_live()
            with pytest.raises(AlreadyRunningError), Job.hold(run):
                pass
            assert not job.stop_requested
        assert job.exit_code == 0
    assert not run.is_live()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_progress_is_written_twice_a_second_and_at_the_end(run: RunDirectory) -> None:
    with Job.hold(run) as job:
        job.phase("cache", total=5000)
        for item in range(5000):
            job.progress(item + 1)
    progress = [
        event for event in EventReader(run.events_path).read() if event["kind"] == "progress"
    ]
    assert progress[-1]["done"] == 5000
    assert len(progress) < 50
