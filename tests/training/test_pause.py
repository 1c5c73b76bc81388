"""A pause costs nothing: the same bytes, and nothing lost when the paused job is killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_jobs import ForkedJob, ForkServer, fork_server
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.status import summary
from training_runs import events, files, toy_config

KILLED, STOPPED = -signal.SIGKILL, 75
STEPS = 40
"""Enough that a pause is asked for in the middle."""


@pytest.fixture(scope="module")
def server(toy_family: Path) -> Iterator[ForkServer]:
    with fork_server(toy_family) as running:
        yield running


class Runs:
    """A run that was left alone, and new ones to be disturbed."""

    def __init__(self, server: ForkServer, pictures: Path, folder: Path) -> None:
        self._server, self._cache = server, folder / "cache"
        self._config = toy_config(
            pictures,
            folder / "runs",
            training={"epochs": 99, "max_steps": STEPS},
            samples={"prompts": ["mika"], "every_epochs": 0, "every_steps": 20},
            output={"save_every_epochs": 0},
        )
        whole = RunDirectory.create(self._config)
        assert self.finish(whole) == 0
        self.whole = files(whole)["toy.safetensors"]

    def paused(self) -> tuple[RunDirectory, ForkedJob]:
        """A run that rests after some step."""
        run = RunDirectory.create(self._config)
        job = self._server.start(run.path, self._cache)
        while not run.is_live() or not summary(run).step:
            time.sleep(0.001)
        control.request(run, "pause")
        while not summary(run).paused:
            time.sleep(0.001)
        assert 0 < summary(run).step < STEPS
        return run, job

    def finish(self, run: RunDirectory) -> int:
        return self._server.finish(run.path, self._cache)


@pytest.fixture(scope="module")
def runs(server: ForkServer, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(server, pictures, tmp_path_factory.mktemp("pauses"))


def is_exact(run: RunDirectory, runs: Runs) -> bool:
    steps = [event["step"] for event in events(run, "step")]
    assert steps == list(range(1, STEPS + 1))
    return files(run)["toy.safetensors"] == runs.whole


def test_a_paused_run_rests_and_ends_with_the_same_bytes(runs: Runs) -> None:
    run, job = runs.paused()
    step = summary(run).step
    used = Path(f"/proc/{job.pid}/stat").read_text().split()[13:15]
    time.sleep(0.5)
    assert summary(run).step == step and run.is_live()
    ticks = map(int, Path(f"/proc/{job.pid}/stat").read_text().split()[13:15])
    assert sum(ticks) - sum(map(int, used)) < 10, "it does not spin"
    control.request(run, "resume")
    assert job.wait() == 0
    assert not summary(run).paused
    assert [event["kind"] for event in events(run, "paused") + events(run, "resumed")] == [
        "paused",
        "resumed",
    ]
    assert is_exact(run, runs)


def test_a_paused_run_saves_draws_and_rests_on(runs: Runs) -> None:
    run, job = runs.paused()
    step = summary(run).step
    for what in ("save", "sample"):
        control.request(run, what)
    while not (events(run, "saved") and events(run, "sample")):
        time.sleep(0.001)
    assert (run.path / f"toy-step{step:08d}.safetensors").exists()
    assert summary(run).paused and summary(run).step == step
    control.request(run, "resume")
    assert job.wait() == 0
    assert is_exact(run, runs)


@pytest.mark.parametrize("how", ["stop", "terminate"])
def test_a_paused_run_stops_when_asked(runs: Runs, how: str) -> None:
    run, job = runs.paused()
    control.request(run, "stop") if how == "stop" else job.send(signal.SIGTERM)
    assert job.wait() == STOPPED
    assert not summary(run).paused and run.record().outcome == "stopped"
    assert events(run, "saved") and not events(run, "resumed")
    assert runs.finish(run) == 0
    assert is_exact(run, runs)


def test_a_kill_during_a_pause_loses_nothing(runs: Runs) -> None:
    run, job = runs.paused()
    job.send(signal.SIGKILL)
    assert job.wait() == KILLED
    assert summary(run).state == "killed" and not summary(run).paused
    assert runs.finish(run) == 0, "and the pause does not outlive the job"
    assert is_exact(run, runs)
