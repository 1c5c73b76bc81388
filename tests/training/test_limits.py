"""How late a run may stop for its limit: what is known of its saves before it has made one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lora_wizard.core.config import RunConfig
from lora_wizard.core.rehearsal import rehearse
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.run.launch import launch
from lora_wizard.core.run.limits import Deadline, Limits
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.preparation import prepare
from training_runs import events, files, sd_config, start, toy_config

LONG_AHEAD = Limits(time.time() + 1e6, "a year is over")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def limited(config: RunConfig, work: Callable[[Job], None]) -> RunDirectory:
    run = RunDirectory.create(config)
    os.environ.update(LONG_AHEAD.environment)
    assert run_job(run.path, work) == 0, run.log_path.read_text()
    return run


def test_the_first_state_is_written_early_and_tells(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path / "runs", output={"save_every_epochs": 0})
    reserves: list[float] = []
    unknown: list[bool] = []

    def work(job: Job) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            unknown.append(job.deadline.save_is_unknown)
            tell(epoch, loss, gradient_norm)
            reserves.append(job.deadline.reserve)

        trainer.tell = told
        trainer.train()

    run = limited(config, work)
    assert unknown[0] and not any(unknown[1:])
    assert reserves[0] > 30 > reserves[1]
    # The result is that of a run without a limit.
    assert files(run) == files(start(config))
    assert events(run, "saved")


def test_the_first_state_is_not_written_before_a_file_of_its_step(
    pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(pictures, tmp_path / "runs", training={"max_steps": 1})
    run = RunDirectory.create(config)

    def killed(job: Job) -> None:
        trainer = prepare(job)
        # As a kill would end it while it validates: after the first state, before the file.
        trainer.validate = lambda **_: sys.exit("killed") if trainer.step else None
        trainer.train()

    os.environ.update(LONG_AHEAD.environment)
    assert run_job(run.path, killed) != 0
    assert not files(run)
    assert run_job(run.path, train) == 0, run.log_path.read_text()
    assert files(run) == files(start(config))


@pytest.mark.parametrize("known", ["rehearsal", "earlier run"])
def test_what_ran_before_tells_beforehand(known: str, pictures: Path, tmp_path: Path) -> None:
    config = toy_config(
        pictures,
        tmp_path / "runs",
        training={"epochs": 4, "batch_size": 2},
        output={"save_every_epochs": 2, "folder": str(tmp_path / "runs")},
    )
    found: list[Deadline] = []

    def look(job: Job) -> None:
        prepare(job)
        found.append(job.deadline)

    limited(config, look)
    if known == "rehearsal":
        rehearsal = RunDirectory.create(config, what="rehearse")
        assert run_job(rehearsal.path, rehearse.rehearse) == 0
    else:
        start(config)
    limited(config, look)
    other = toy_config(pictures, tmp_path / "runs", network={"rank": 5})
    limited(other, look)
    assert [deadline.save_is_unknown for deadline in found] == [True, False, True]
    for deadline in found:
        assert deadline.reserve < 10, "before the first step there is nothing to save"
        deadline.hear("phase", {"phase": "train"})
    assert found[0].reserve >= 30
    if known == "rehearsal":
        assert found[1].reserve < 30, "a step is known, too"


def test_a_short_limit_is_used_after_a_rehearsal(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    config = sd_config(
        tiny_sd,
        pictures,
        tmp_path / "runs",
        training={"epochs": 100_000, "batch_size": 2},
        samples={"prompts": []},
        output={"save_every_epochs": 0, "folder": str(tmp_path / "runs")},
    )
    rehearsal = RunDirectory.create(config, what="rehearse")
    assert run_job(rehearsal.path, rehearse.rehearse) == 0
    run = RunDirectory.create(config)
    # Less than what is kept free while nothing is known.
    ends_at = time.time() + 28
    assert launch(run, limits=Limits(ends_at, "28 s are over")).wait() == 75
    assert events(run, "step"), run.log_path.read_text()
    (saved,) = events(run, "saved")
    assert saved["time"] <= ends_at
    assert saved["step"] == events(run, "step")[-1]["step"]
