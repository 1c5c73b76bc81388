"""Exactness: a run that was stopped anywhere gives the bytes of one that was not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_flow
from lora_wizard.core.config import RunConfig, TrainingOptions
from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.run.limits import Limits
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.states import Origin
from pydantic import Field
from training_runs import draw_pictures, events, files, start, stopping_after, toy_config

STOPPED = 75


def final(directory: RunDirectory) -> bytes:
    return files(directory)["toy.safetensors"]


CONFIGS: dict[str, dict[str, dict[str, Any]]] = {
    "plain": {},
    "accumulation": {"training": {"epochs": 3, "batch_size": 1, "gradient_accumulation": 4}},
    "everything": {
        "training": {"epochs": 3, "batch_size": 2, "max_steps": 8, "gradient_accumulation": 1},
        "captions": {"shuffle": True, "dropout": 0.3},
        "optimizer": {"scheduler": "cosine", "warmup": 2, "learning_rate": 1e-2},
        "loss": {
            "type": "huber",
            "noise_offset": 0.1,
            "noise_offset_random_strength": True,
            "adaptive_noise_scale": 0.01,
            "multires_iterations": 4,
            "input_perturbation": 0.1,
            "input_perturbation_random_strength": True,
        },
    },
    "words": {
        "training": {"epochs": 3, "batch_size": 2},
        "captions": {
            "wildcards": True,
            "prefix": "{a|the} ",
            "separator": " ",
            "tag_dropout": 0.3,
            "shuffle": True,
            "dropout_every_epochs": 2,
        },
    },
    "prodigy": {
        "training": {"epochs": 2, "batch_size": 2},
        "optimizer": {"name": "prodigy", "learning_rate": 1.0},
    },
    "adafactor": {
        "training": {"max_steps": 4},
        "optimizer": {
            "name": "adafactor",
            "learning_rate": None,
            "arguments": {"relative_step": True, "scale_parameter": True, "warmup_init": True},
        },
    },
    "schedule-free": {
        "training": {"max_steps": 5},
        "optimizer": {"name": "adamw_schedulefree", "learning_rate": 1e-2},
        "samples": {"every_steps": 2},
    },
    "faster ups, averaged": {
        "training": {"max_steps": 5, "ema_decay": 0.8},
        "optimizer": {"loraplus_ratio": 4.0, "learning_rate": 1e-2},
    },
    "fp16": {"model": {"base": "toys/flow", "family": "toy_flow", "precision": "fp16"}},
}


PACKAGES = {"prodigy": "prodigyopt", "schedule-free": "schedulefree"}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_stop_at_every_step_changes_nothing(name: str, pictures: Path, tmp_path: Path) -> None:
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    config = toy_config(pictures, tmp_path, **CONFIGS[name])
    whole = start(config)
    steps = len(events(whole, "step"))
    run = RunDirectory.create(config)
    for step in range(1, steps):
        assert run_job(run.path, stopping_after([step])) == STOPPED
    assert run_job(run.path, train) == 0
    assert [event["step"] for event in events(run, "step")] == list(range(1, steps + 1))
    for of_run, of_whole in zip(events(run, "step"), events(whole, "step"), strict=True):
        assert {**of_run, "time": 0} == {**of_whole, "time": 0}
    assert final(run) == final(whole)


def test_a_model_that_draws_numbers_itself_is_resumed_exactly(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = toy_flow.Denoiser.forward

    def with_dropout(self: toy_flow.Denoiser, latents: torch.Tensor, *told: Any) -> torch.Tensor:
        return forward(self, torch.nn.functional.dropout(latents, 0.3), *told)

    monkeypatch.setattr(toy_flow.Denoiser, "forward", with_dropout)
    config = toy_config(pictures, tmp_path)
    whole, run = start(config), stopped(config)
    torch.manual_seed(123)
    assert run_job(run.path, train) == 0
    assert final(run) == final(whole)


def test_the_scale_of_fp16_is_resumed(pictures: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path, **CONFIGS["fp16"]))

    def scaled_down(job: Job) -> None:
        trainer = prepare(job)
        assert trainer.scaler
        trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": 256.0})
        trainer.learn_from(next(window for _, window in trainer.windows_left()))
        trainer.step = 1
        trainer.save(1)

    assert run_job(run.path, scaled_down) == 0, run.log_path.read_text()

    def look(job: Job) -> None:
        trainer = prepare(job)
        trainer.catch_up()
        assert trainer.step == 1 and trainer.scaler
        assert trainer.scaler.get_scale() == 256.0

    assert run_job(run.path, look) == 0, run.log_path.read_text()


def test_scheduled_files_and_samples_are_those_of_the_whole_run(
    pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures,
        tmp_path,
        training={"epochs": 4},
        output={"keep_last": 2},
        samples={"every_steps": 2, "every_epochs": 0},
    )
    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, stopping_after([4])) == STOPPED
    by_hand = run.path / "toy-step00000004.safetensors"
    assert by_hand.exists()
    assert run_job(run.path, train) == 0
    assert by_hand.exists(), "what was saved by hand is not pruned"
    by_hand.unlink()
    assert files(run) == files(whole)
    assert list(files(run)) == [
        "toy-000002.safetensors",
        "toy-000003.safetensors",
        "toy.safetensors",
    ]
    for picture in whole.samples_path.iterdir():
        assert (run.samples_path / picture.name).read_bytes() == picture.read_bytes()


def test_a_stop_while_samples_are_drawn_leaves_the_rest_to_the_resume(
    pictures: Path, tmp_path: Path
) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))

    def work(job: Job) -> None:
        trainer = prepare(job)
        draw = trainer.previews._draw

        def stop_then_draw(
            path: Path, prompt: SamplePrompt, step: int, epoch: int, ends: Callable[[], bool]
        ) -> bool:
            if step == 3:
                (job.directory.control_path / "stop").touch()
            return draw(path, prompt, step, epoch, ends)

        trainer.previews._draw = stop_then_draw
        trainer.train()

    assert run_job(run.path, work) == STOPPED
    names = sorted(path.name for path in run.samples_path.iterdir())
    assert names[-1] == "step00000000-02.png", "not even the picture that was begun"
    assert (run.path / "toy-000001.safetensors").exists()
    assert run_job(run.path, train) == 0
    assert (run.samples_path / "step00000003-01.png").exists()
    assert (run.samples_path / "step00000003-02.png").exists()


def test_a_stop_in_the_last_step_leaves_its_samples_to_be_drawn(
    pictures: Path, tmp_path: Path
) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))
    assert run_job(run.path, stopping_after([6])) == 0
    assert len(list(run.samples_path.glob("step00000006-*.png"))) == 2
    assert run.record().outcome == "finished"


def test_a_limit_ends_even_the_last_samples(pictures: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))

    def work(job: Job) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            if trainer.step == trainer.schedule.total_steps:
                job.deadline.limits = Limits(1.0, "it is late")

        trainer.tell = told
        trainer.train()

    assert run_job(run.path, work) == 0, run.log_path.read_text()
    assert not list(run.samples_path.glob("step00000006-*.png"))
    (note,) = [event for event in events(run, "problem") if event.get("where") == "samples"]
    assert "2 were not drawn" in note["message"]


def test_a_run_without_its_record_goes_on_exactly(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path)
    whole, run = start(config), stopped(config)
    before = run.record()
    run.record_path.write_bytes(run.record_path.read_bytes()[:40])
    told = run.record()
    assert (told.what, told.outcome, told.attempts) == (before.what, "stopped", 1)
    assert (told.version, told.exit_code) == (before.version, STOPPED)
    assert run_job(run.path, train) == 0, run.log_path.read_text()
    assert final(run) == final(whole)
    assert run.record().attempts == 2 and not run.record_is_damaged()
    assert "run.json was damaged" in str(events(run, "problem"))


def test_a_finished_run_that_is_resumed_does_nothing(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path))
    before = {path: path.stat().st_mtime_ns for path in run.path.glob("*.safetensors")}
    assert run_job(run.path, train) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(events(run, "step")) == 6


def stopped(config: RunConfig) -> RunDirectory:
    run = RunDirectory.create(config)
    assert run_job(run.path, stopping_after([2])) == STOPPED
    return run


def failure(run: RunDirectory) -> str:
    encoded = len([event for event in events(run, "phase") if event["phase"] == "cache latents"])
    assert run_job(run.path, train) != 0
    phases = [event["phase"] for event in events(run, "phase")]
    assert phases.count("cache latents") == encoded, "refused before anything is encoded"
    return str(events(run, "failed")[-1])


def test_another_dataset_is_named_and_refused(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures")
    run = stopped(toy_config(folder, tmp_path / "runs"))
    (folder / "00.txt").write_text("mika another caption")
    (folder / "01.png").unlink()
    (folder / "02.png").write_bytes((folder / "05.png").read_bytes())
    message = failure(run)
    for line in (
        "caption changed: pictures/00.png",
        "gone: pictures/01.png",
        "picture changed: pictures/02.png",
    ):
        assert line in message
    assert "new run" in message
    assert not run.record().resume_helps
    assert not events(run, "going_on"), "said only of a state that fits"


def test_the_dataset_put_back_is_resumed(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures")
    config = toy_config(folder, tmp_path / "runs")
    whole, run = start(config), stopped(config)
    (folder / "00.txt").write_text("mika another caption")
    failure(run)
    draw_pictures(folder)
    assert run_job(run.path, train) == 0
    assert [event["step"] for event in events(run, "going_on")] == [2]
    assert run.record().resume_helps
    assert final(run) == final(whole)


def test_another_base_model_is_refused(pictures: Path, tmp_path: Path) -> None:
    run = stopped(toy_config(pictures, tmp_path))
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace('base = "toys/flow"', 'base = "toys/other"'))
    assert "base model has changed" in failure(run)


def test_another_configuration_is_refused(pictures: Path, tmp_path: Path) -> None:
    run = stopped(toy_config(pictures, tmp_path))
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace("learning_rate = 0.01", "learning_rate = 0.02"))
    assert "configuration has changed" in failure(run)


def test_a_damaged_state_costs_one_interval_and_no_exactness(
    pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(pictures, tmp_path)
    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, stopping_after([5])) == STOPPED
    (run.state_path / "step-00000005" / "optimizer.safetensors").write_bytes(b"torn")
    assert run_job(run.path, train) == 0
    assert any("step-00000005" in event["message"] for event in events(run, "problem"))
    assert [event["step"] for event in events(run, "step")] == [1, 2, 3, 4, 5, 4, 5, 6]
    assert final(run) == final(whole)


def test_the_same_configuration_gives_the_same_bytes_with_a_cold_cache(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = toy_config(pictures, tmp_path)
    warm = start(config)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cold"))
    assert final(start(config)) == final(warm)


def test_a_resume_that_cannot_be_exact_says_so(pictures: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path))
    assert run_job(run.path, stopping_after([2])) == STOPPED
    torch.set_num_threads(2)
    try:
        assert run_job(run.path, train) == 0
    finally:
        torch.set_num_threads(1)
    (problem,) = events(run, "problem")
    assert problem["severity"] == "warning"
    assert "threads 1" in problem["message"] and "threads 2" in problem["message"]


def test_an_option_that_a_later_version_adds_is_no_change_of_a_run() -> None:
    class LaterTraining(TrainingOptions):
        momentum: float = 0.5

    class LaterConfig(RunConfig):
        training: LaterTraining = Field(default_factory=LaterTraining)

    text = {"model": {"base": "toys/flow"}, "training": {"epochs": 3}}
    origins = [
        Origin.of(config, {}, "base", torch.device("cpu")).belongs_to["config"]
        for config in (
            RunConfig.model_validate(text),
            LaterConfig.model_validate(text),
            LaterConfig.model_validate({**text, "training": {"epochs": 4}}),
        )
    ]
    assert origins[0] == origins[1] != origins[2]
