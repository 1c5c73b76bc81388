from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.launch import StartError, launch
from lora_wizard.core.run.lock import AlreadyRunningError, holder
from lora_wizard.core.run.status import summary

from .conftest import until

Start = Callable[..., subprocess.Popen[bytes]]


def test_a_job_is_a_session_of_its_own(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000)
    assert holder(run.lock_path) == process.pid
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert Path(f"/proc/{process.pid}/fd/0").readlink() == Path("/dev/null")
    for number in (1, 2):
        assert Path(f"/proc/{process.pid}/fd/{number}").readlink() == run.log_path


def test_a_strangers_folders_are_not_imported(
    run: RunDirectory, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = "raise SystemExit('a stranger was imported')"
    for folder in (tmp_path, run.path):
        for name in ("core", "lora_wizard", "json", "tomllib", "torch"):
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(trap)
    monkeypatch.chdir(tmp_path)
    assert start(steps=1).wait() == 0


def test_a_job_that_does_not_come_up_is_told_with_its_log(run: RunDirectory) -> None:
    run.log_path.write_text("an older line\n")
    with pytest.raises(StartError) as caught:
        launch(run, "no_such_module_anywhere")
    assert "No module named no_such_module_anywhere" in caught.value.message
    assert "older" not in caught.value.message
    assert caught.value.exit_code == 1
    assert summary(run).state == "new"


def test_a_job_over_before_anybody_looked_is_no_failed_start(
    run: RunDirectory, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lora_wizard.core.run.launch.is_ready", lambda path: False)
    assert start(steps=0, items=0, pause=0).wait() == 0
    assert start(fail="user", items=0).wait() == 2


def test_a_second_launch_is_refused(run: RunDirectory, start: Start) -> None:
    start(steps=10_000)
    with pytest.raises(AlreadyRunningError):
        launch(run, "jobs")
    assert run.record().attempts == 1


def test_of_launches_at_once_one_is_told_that_it_started_the_run(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_SCRIPT", '{"steps": 10000}')

    def attempt(_: int) -> int | None:
        try:
            return launch(run, "jobs").pid
        except AlreadyRunningError:
            return None

    with ThreadPoolExecutor(8) as threads:
        pids = list(threads.map(attempt, range(8)))
    assert [pid for pid in pids if pid] == [holder(run.lock_path)]
    assert run.record().attempts == 1


def test_stopping_by_signal_reaches_the_helpers_of_a_job(run: RunDirectory, start: Start) -> None:
    process = start(steps=10_000, helper=True)
    until(lambda: summary(run).step)
    helper = int((run.path / "helper").read_text())
    control.kill(run)
    assert process.wait() == -signal.SIGKILL
    until(lambda: not Path(f"/proc/{helper}/exe").exists())
    assert control.wait(run, seconds=5)


@pytest.mark.parametrize(
    ("settings", "cgroup", "warned"),
    [
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, "session-3.scope", True),
        ({"etc/systemd/logind.conf": "#KillUserProcesses=yes\n"}, "session-3.scope", False),
        (
            {
                "etc/systemd/logind.conf": "KillUserProcesses=yes\n",
                "usr/lib/systemd/logind.conf.d/50-off.conf": "KillUserProcesses=no\n",
            },
            "session-3.scope",
            False,
        ),
        ({"etc/systemd/logind.conf": "KillUserProcesses=yes\n"}, "run-u3.scope", False),
        (
            {"etc/systemd/logind.conf": "KillUserProcesses=yes\nKillExcludeUsers=mika\n"},
            "session-3.scope",
            False,
        ),
        (
            {"etc/systemd/logind.conf": "KillUserProcesses=yes\nKillOnlyUsers=somebody\n"},
            "session-3.scope",
            False,
        ),
        ({}, "session-3.scope", False),
    ],
)
def test_a_machine_that_kills_at_logout_is_known(
    tmp_path: Path, settings: dict[str, str], cgroup: str, warned: bool
) -> None:
    files = {**settings, "proc/self/cgroup": f"0::/user.slice/user-1000.slice/{cgroup}\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert bool(control.killed_at_logout(tmp_path, user="mika")) is warned
