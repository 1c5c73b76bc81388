"""A rehearsal: a real step, a real picture, a real save, and nothing left behind."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.plan import DatasetPlan, MicroBatch
from lora_wizard.core.estimates import estimate_here
from lora_wizard.core.estimates.past_runs import past_runs
from lora_wizard.core.families import registry as families
from lora_wizard.core.rehearsal import measured, rehearse, start, words
from lora_wizard.core.rehearsal.rehearse import largest_bucket, largest_that
from lora_wizard.core.run.directory import RunDirectory, known_runs
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.schedule import Schedule
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from lora_wizard.tui.cli import main
from training_runs import draw_pictures, events, sd_config, toy_config


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def rehearsed(config: RunConfig, work: Callable[[Job], None] = rehearse.rehearse) -> RunDirectory:
    run = RunDirectory.create(config, what="rehearse")
    assert run_job(run.path, work) == 0, run.log_path.read_text()
    return run


@given(largest=st.integers(0, 80), most=st.integers(1, 64))
def test_the_largest_that_fits_is_found_in_few_tries(largest: int, most: int) -> None:
    tried: list[int] = []

    def fits(size: int) -> bool:
        tried.append(size)
        return size <= largest

    found, is_bound = largest_that(fits, most)
    assert found == min(largest, most) and is_bound == (largest >= most)
    assert all(1 <= size <= most for size in tried) and len(set(tried)) == len(tried) <= 13


def test_everything_is_measured_at_the_largest_bucket(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    config = sd_config(tiny_sd, pictures, tmp_path / "runs", training={"batch_size": 2})
    run = rehearsed(config)
    (told,) = events(run, "rehearsed")
    plan = build_plan(config, families.find("sd1"))
    assert told["bucket"] == str(largest_bucket(plan))
    assert (told["batch_size"], told["portion"], told["largest_batch"]) == (2, 2, None)
    for name in ("per_step", "per_save", "to_start", "per_encoding", "per_drawing"):
        assert told[name] > 0, name
    assert [path.suffix for path in run.samples_path.iterdir()] == [".png"]
    assert list(run.path.glob("*.safetensors")) and list(run.state_path.glob("step-*"))
    ((kept_config, kept),) = measured.kept()
    assert kept.per_step == told["per_step"] and kept_config.model == config.model


def test_the_estimate_rests_on_it(tiny_sd: Path, pictures: Path, tmp_path: Path) -> None:
    config = sd_config(tiny_sd, pictures, tmp_path / "runs")
    (told,) = events(rehearsed(config), "rehearsed")
    spec = families.find("sd1")
    plan = build_plan(config, spec)
    schedule = Schedule.of(plan, config)
    time = estimate_here(config, spec, plan=plan, schedule=schedule).time
    assert time is not None and "rehearsal" in time.basis
    drawings = len(config.samples.prompts) * len(schedule.sample_steps())
    expected = (
        told["to_start"]
        + len(plan.samples) * told["per_encoding"]
        + schedule.total_steps * told["per_step"]
        + drawings * told["per_drawing"]
        + len(schedule.save_steps()) * told["per_save"]
    )
    assert (time.low + time.high) / 2 == pytest.approx(expected, rel=0.01)


def test_a_rehearsal_of_a_family_that_has_gone_is_passed_over(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    gone = toy_config(pictures, tmp_path / "runs", model={"family": "no_such_family"})
    kept = start.result(rehearsed(sd_config(tiny_sd, pictures, tmp_path / "runs")))
    measured.keep(gone, kept)
    (run,) = past_runs()
    assert run.family == "sd1"


def test_too_little_memory_is_said_with_what_would_fit(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path / "runs", training={"batch_size": 2})

    def limited(job: Job, plan: DatasetPlan) -> Trainer:
        trainer = prepare(job, plan)
        loss = trainer.batches.loss

        def small(micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
            if len(micro_batch) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return loss(micro_batch, window_samples)

        trainer.batches.loss = small
        return trainer

    def small_gpu(job: Job) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rehearse, "prepare", limited)
            rehearse.rehearse(job)

    result = start.result(rehearsed(config, small_gpu))
    assert not result.fits and result.portion == 1
    (problem,) = words.problems(result, config)
    assert "2 pictures at once do not fit" in problem.message
    values = {"training.batch_size": 1, "training.gradient_accumulation": 2}
    assert problem.mends[0].values == values


def test_check_rehearses_in_a_process_of_its_own_and_leaves_nothing(
    tiny_sd: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = draw_pictures(tmp_path / "pictures", count=3)
    config = sd_config(tiny_sd, folder, tmp_path / "runs", samples={"prompts": ["mika"]})
    toml = tmp_path / "mika.toml"
    configfile.write(config, toml)
    assert main(["check", str(toml), "--rehearse", "--json", "--price", "3.6"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["rehearsal"]["per_step"] > 0
    assert "rehearsal" in shown["estimate"]["time"]["basis"]
    assert not (tmp_path / "runs").exists()
    assert not list((tmp_path / "cache" / "lora-wizard" / "rehearsals").iterdir())
    assert known_runs() == []


def test_a_rehearsal_that_is_ended_says_so_and_goes(tiny_sd: Path, tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures", count=2)
    run, process = start.begin(sd_config(tiny_sd, folder, tmp_path / "runs"))
    (run.control_path / "stop").touch()
    process.wait()
    with pytest.raises(start.RehearsalError, match="ended"):
        start.result(run)
    start.clear(run)
    assert not run.path.exists()
