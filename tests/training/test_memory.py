"""When the GPU's memory is too small: the same steps in smaller portions."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lora_wizard.core.dataset.plan import MicroBatch
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.portions import is_out_of_memory
from lora_wizard.core.training.preparation import prepare
from safetensors.torch import load
from training_runs import events, files, start, toy_config

BATCH = {"epochs": 2, "batch_size": 2, "gradient_accumulation": 2}


def fits(pictures_at_once: int, tried: list[int] | None = None) -> Callable[[Job], None]:
    """Training on a GPU that holds so many pictures at once: more raise what torch raises, in the
    backward pass, the second time, when gradients of the first are there already."""
    large = 0

    def work(job: Job) -> None:
        trainer = prepare(job)
        loss = trainer.batches.loss

        def limited(micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
            nonlocal large
            if tried is not None:
                tried.append(len(micro_batch))
            share = loss(micro_batch, window_samples)
            large += len(micro_batch) > pictures_at_once
            if len(micro_batch) > pictures_at_once and large > 1:
                share.register_hook(_full)
            return share

        trainer.batches.loss = limited
        trainer.train()

    return work


def _full(gradient: torch.Tensor) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore.")


def test_too_little_memory_halves_what_goes_through_at_once(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path, training=BATCH)
    whole, run, tried = start(config), RunDirectory.create(config), list[int]()
    assert run_job(run.path, fits(1, tried)) == 0
    (problem,) = events(run, "problem")
    assert "2 pictures at once" in problem["message"] and "1 at once" in problem["message"]
    assert tried.count(2) == 2, "it is tried once"
    steps = [event["step"] for event in events(run, "step")]
    assert steps == [event["step"] for event in events(whole, "step")]
    split, plain = load(files(run)["toy.safetensors"]), load(files(whole)["toy.safetensors"])
    for name in plain:
        torch.testing.assert_close(split[name], plain[name], rtol=1e-3, atol=1e-5)


def test_a_resume_remembers_what_fitted(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path, training=BATCH, output={"save_every_steps": 1})
    run, tried = RunDirectory.create(config), list[int]()

    def stops_after_1(job: Job) -> None:
        def step(kind: str, **fields: object) -> None:
            emit(kind, **fields)
            if kind == "step":
                (run.control_path / "stop").touch()

        emit, job.emit = job.emit, step
        fits(1)(job)

    assert run_job(run.path, stops_after_1) == 75
    assert run_job(run.path, fits(1, tried)) == 0
    assert set(tried) == {1}
    assert len(events(run, "problem")) == 1


def test_a_picture_too_much_ends_the_run_with_a_remedy(pictures: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path, training=BATCH))
    assert run_job(run.path, fits(0)) == 1
    (failed,) = events(run, "failed")
    assert "too small" in failed["title"] and "gradient_checkpointing" in failed["remedy"]
    assert "More." not in failed["message"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_real_gpu_runs_out_of_memory_and_goes_on(pictures: Path, tmp_path: Path) -> None:
    config = toy_config(pictures, tmp_path, training=BATCH)
    run = RunDirectory.create(config)

    def work(job: Job) -> None:
        trainer = prepare(job)
        loss = trainer.batches.loss

        def hungry(micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
            if len(micro_batch) > 1:
                torch.empty(1 << 50, device="cuda", dtype=torch.uint8)
            return loss(micro_batch, window_samples)

        trainer.batches.loss = hungry
        trainer.train()

    assert run_job(run.path, work) == 0
    assert len(events(run, "problem")) == 1


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory\nCUDA kernel errors might be reported later",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_memory_that_the_driver_lacks_is_told_as_memory(
    words: str, pictures: Path, tmp_path: Path
) -> None:
    run = RunDirectory.create(toy_config(pictures, tmp_path, samples={"prompts": []}))

    def work(job: Job) -> None:
        trainer = prepare(job)
        loss, failed = trainer.batches.loss, list[int]()

        def once(micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
            if len(micro_batch) > 1:
                failed.append(len(micro_batch))
                raise RuntimeError(words)
            return loss(micro_batch, window_samples)

        trainer.batches.loss = once
        trainer.train()
        assert failed == [2]

    assert run_job(run.path, work) == 0, run.log_path.read_text()
    (problem,) = events(run, "problem")
    assert "memory was too small" in problem["message"]


def test_another_fault_of_the_gpu_is_no_lack_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(ValueError("CUDA error: out of memory"))
