"""Whole runs: the schedule obeyed, the files written, requests answered."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import toy_flow
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.families import registry as families
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.run.launch import launch
from lora_wizard.core.schedule import Schedule
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.weights import kohya
from training_runs import draw_pictures, events, files, sd_config, start, toy_config


@pytest.mark.parametrize(
    "training",
    [
        {"epochs": 2, "batch_size": 1},
        {"epochs": 3, "batch_size": 4},
        {"epochs": 2, "batch_size": 2, "gradient_accumulation": 2},
        {"epochs": 9, "batch_size": 2, "max_steps": 7},
    ],
)
@pytest.mark.parametrize("classes", [0, 5])
def test_the_schedule_is_obeyed_to_the_step(
    training: dict[str, Any], classes: int, tmp_path: Path
) -> None:
    folder = draw_pictures(tmp_path / "pictures", count=5)
    regularization = draw_pictures(tmp_path / "classes", classes) if classes else ""
    config = toy_config(
        folder,
        tmp_path / "runs",
        dataset={"repeats": 2, "regularization_folder": str(regularization)},
        training=training,
        samples={"every_steps": 3},
        output={"save_every_steps": 2},
    )
    schedule = Schedule.of(build_plan(config, families.find("toy_flow")), config)
    run = start(config)
    steps = events(run, "step")
    assert [event["step"] for event in steps] == list(range(1, schedule.total_steps + 1))
    assert [event["epoch"] for event in steps] == [
        schedule.position(step)[0] for step in range(1, schedule.total_steps + 1)
    ]
    assert {(event["path"], event["step"]) for event in events(run, "saved")} == {
        (f"toy{point.suffix}.safetensors", point.step) for point in schedule.save_steps()
    }
    drawn = [event["step"] for event in events(run, "sample")]
    assert drawn == [step for step in schedule.sample_steps() for _ in range(2)]


def test_files_are_saved_and_noted_before_samples_are_drawn(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path))
    order = [
        (event["kind"], event["step"])
        for event in map(json.loads, run.events_path.read_text().splitlines())
        if event["kind"] in ("saved", "sample", "step")
    ]
    assert order.index(("saved", 3)) < order.index(("sample", 3)) < order.index(("step", 4))
    assert order.index(("saved", 6)) < order.index(("sample", 6))


def test_the_manifest_names_every_file_with_its_hash(pictures: Path, tmp_path: Path) -> None:
    run = start(toy_config(pictures, tmp_path, training={"epochs": 5}, output={"keep_last": 2}))
    manifest = run.manifest()
    assert list(files(run)) == sorted(manifest)
    assert sorted(manifest) == [
        "toy-000003.safetensors",
        "toy-000004.safetensors",
        "toy.safetensors",
    ]
    for name, data in files(run).items():
        assert manifest[name]["sha256"] == hashlib.sha256(data).hexdigest()
        assert manifest[name]["bytes"] == len(data)
    assert not list(run.path.rglob(".lora-wizard-tmp-*"))


def test_the_file_holds_the_network_as_trained(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    def work(job: Job) -> None:
        trainer = prepare(job)
        trainer.train()
        tensors, metadata = kohya.read(run.path / "toy.safetensors")
        assert metadata["ss_steps"] == "6" and metadata["ss_epoch"] == "2"
        trained = trainer.network.file_tensors()
        assert tensors.keys() == trained.keys()
        assert all(bool((tensors[name] == trained[name]).all()) for name in trained)
        ups = [tensor for name, tensor in trained.items() if "lora_up" in name]
        assert ups and all(bool(up.abs().sum() > 0) for up in ups)

    config = sd_config(tiny_sd, pictures, tmp_path)
    run = RunDirectory.create(config)
    assert run_job(run.path, work) == 0, run.log_path.read_text()


def asking(wish: str, at_step: int) -> Callable[[Job], None]:
    """The work of a run that finds ``wish`` in its control folder as a step ends."""

    def work(job: Job) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            if trainer.step == at_step:
                (job.directory.control_path / wish).touch()

        trainer.tell = told
        trainer.train()

    return work


def test_save_now(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path)
    undisturbed = files(start(config))
    run = start(config, asking("save", 2))
    asked = files(run)
    assert asked.pop("toy-step00000002.safetensors")
    assert "toy-step00000002.safetensors" in run.manifest()
    assert asked == undisturbed
    assert (run.state_path / "step-00000006").is_dir()


def test_sample_now(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path)
    undisturbed = files(start(config))
    run = start(config, asking("sample", 5))
    assert (run.samples_path / "step00000005-02.png").exists()
    assert (run.state_path / "step-00000005").is_dir(), "saved before sampling"
    assert files(run) == undisturbed


def test_sample_now_without_prompts_says_that_there_are_none(
    pictures: Path, tmp_path: Path
) -> None:
    run = start(toy_config(pictures, tmp_path, samples={"prompts": []}), asking("sample", 2))
    (problem,) = events(run, "problem")
    assert problem["where"] == "samples.prompts"
    assert not events(run, "sample")


def test_sampling_leaves_training_as_it_is(tiny_sd: Path, pictures: Path, tmp_path: Path) -> None:
    def final(**samples: Any) -> bytes:
        config = sd_config(tiny_sd, pictures, tmp_path, samples=samples)
        return files(start(config))["toy.safetensors"]

    quiet = final(prompts=[])
    assert final(prompts=["mika"], every_steps=1, steps=2, width=32, height=32) == quiet


def test_the_process_itself(tiny_sd: Path, pictures: Path, tmp_path: Path) -> None:
    """As `lora-wizard train` starts it, from an empty interpreter."""
    config = sd_config(tiny_sd, pictures, tmp_path)
    run = RunDirectory.create(config)
    assert launch(run).wait() == 0, run.log_path.read_text()
    assert files(run) == files(start(config))


def test_a_wrong_configuration_ends_with_its_reason(pictures: Path, tmp_path: Path) -> None:
    for sections, words in (
        ({"optimizer": {"name": "adamv"}}, "adamw"),
        ({"samples": {"prompts": ["mika --s many"]}}, "prompts"),
    ):
        run = RunDirectory.create(toy_config(pictures, tmp_path, **sections))
        assert run_job(run.path, train) == 2
        failure = events(run, "failed")[-1]
        assert words in " ".join(failure[name] for name in ("title", "message", "remedy"))


def test_a_full_gpu_is_answered_with_what_needs_less(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SmallMemory(toy_flow.ToyFlow):
        def predict(self, *given: Any) -> tuple[torch.Tensor, torch.Tensor]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(toy_flow, "ToyFlow", SmallMemory)
    run = RunDirectory.create(toy_config(pictures, tmp_path))
    assert run_job(run.path, train) == 1
    (failure,) = events(run, "failed")
    assert "memory is too small" in failure["title"] and "2.00 GiB" in failure["message"]
    assert "gradient_checkpointing" in failure["remedy"]
