from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig
from lora_wizard.core.errors import WizardError
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.launch import launch

HERE = Path(__file__).parent
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees, or leaves, runs of the user's; jobs are found by their module's name."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of the user"))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.delenv("JOB_SCRIPT", raising=False)


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    return RunConfig.model_validate(
        {
            "model": {"base": "owner/model"},
            "dataset": {"folder": str(tmp_path / "pictures")},
            "output": {"folder": str(tmp_path / "output"), "name": "mika"},
        }
    )


@pytest.fixture
def run(config: RunConfig) -> Iterator[RunDirectory]:
    directory = RunDirectory.create(config)
    yield directory
    with contextlib.suppress(WizardError):
        control.kill(directory)


@pytest.fixture
def start(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Launches jobs.py in ``run`` with the given script."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(**script: object) -> subprocess.Popen[bytes]:
        monkeypatch.setenv("JOB_SCRIPT", json.dumps(script))
        started.append(launch(run, "jobs"))
        return started[-1]

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def python(script: str, *arguments: object, **options: object) -> subprocess.Popen[bytes]:
    """Another process that runs ``script``."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, env=os.environ.copy(), **options)  # pyright: ignore[reportCallIssue, reportArgumentType]
