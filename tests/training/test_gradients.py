"""What happens to gradients between the loss and the optimizer."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lora_wizard.core.dataset.plan import Window
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.setbacks import MOST_IN_A_ROW
from lora_wizard.core.training.trainer import Trainer
from safetensors.torch import load
from training_runs import events, examine, files, sd_config, start, toy_config, whole_epoch


def poison(trainer: Trainer) -> None:
    """Make one number of one gradient infinite."""
    gradient = trainer._parameters[3].grad
    assert gradient is not None
    gradient[0, 0] = torch.inf


def test_gradients_are_shortened_to_the_limit(pictures: Path, tmp_path: Path) -> None:
    norms: dict[float, tuple[float, float]] = {}

    def look_with(limit: float) -> Callable[[Trainer], None]:
        def look(trainer: Trainer) -> None:
            def after(figures: list[float], window: Window) -> bool:
                grads = [weight.grad for weight in trainer._parameters if weight.grad is not None]
                left[0] = torch.nn.utils.get_total_norm(grads).item()
                return True

            left = [0.0]
            trainer.apply_gradients = after
            told = trainer.learn_from(whole_epoch(trainer))[1]
            norms[limit] = told, left[0]

        return look

    for limit in (0.0, 1e-3):
        config = toy_config(pictures, tmp_path, training={"epochs": 1, "max_grad_norm": limit})
        examine(config, look_with(limit))
    told, left = norms[0.0]
    assert told == pytest.approx(left) and told > 1e-2
    assert norms[1e-3] == (pytest.approx(told), pytest.approx(1e-3, rel=1e-3))


def poisoned_at(steps: set[int], what: str) -> Callable[[Job], None]:
    """Training in which these steps (from 1) give a loss or gradient that is no number."""

    def work(job: Job) -> None:
        trainer = prepare(job)
        accumulate = trainer.accumulate

        def poisoned(window: Window) -> torch.Tensor:
            loss = accumulate(window)
            if trainer.step + 1 in steps:
                if what == "loss":
                    return loss * torch.nan
                poison(trainer)
            return loss

        trainer.accumulate = poisoned
        trainer.train()

    return work


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_step_without_a_number_is_left_out_and_its_pictures_are_named(
    what: str, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(pictures, tmp_path, output={"save_every_steps": 1, "save_every_epochs": 0})
    run = RunDirectory.create(config)
    assert run_job(run.path, poisoned_at({4}, what)) == 0
    (problem,) = events(run, "problem")
    assert "step 4" in problem["message"] and "pictures/0" in problem["message"]
    before, at, after = (load(files(run)[f"toy-step0000000{n}.safetensors"]) for n in (3, 4, 5))
    assert all(torch.equal(at[name], before[name]) for name in at)
    assert any(not torch.equal(after[name], at[name]) for name in after)


def test_what_follows_a_step_does_not_follow_one_that_is_left_out(
    pictures: Path, tmp_path: Path
) -> None:
    """Neither the average nor the longest weights: all stays as it was."""
    config = toy_config(
        pictures,
        tmp_path,
        network={"max_norm": 0.05},
        training={"epochs": 2, "batch_size": 2, "ema_decay": 0.9},
        samples={"prompts": []},
        output={"save_every_steps": 1, "save_every_epochs": 0},
    )
    run = RunDirectory.create(config)
    assert run_job(run.path, poisoned_at({4}, "loss")) == 0
    before, at, after = (load(files(run)[f"toy-step0000000{n}.safetensors"]) for n in (3, 4, 5))
    assert all(torch.equal(at[name], before[name]) for name in at)
    assert any(not torch.equal(after[name], at[name]) for name in after)


def test_a_left_out_step_is_left_out_again_after_a_kill(pictures: Path, tmp_path: Path) -> None:
    """The count of setbacks is part of the state: two before a stop and one after it are three."""
    config = toy_config(pictures, tmp_path, output={"save_every_steps": 1})
    run = RunDirectory.create(config)

    def stops_after_4(job: Job) -> None:
        def step(kind: str, **fields: object) -> None:
            emit(kind, **fields)
            if kind == "step" and fields["step"] == 4:
                (run.control_path / "stop").touch()

        emit, job.emit = job.emit, step
        poisoned_at({3, 4}, "loss")(job)

    assert run_job(run.path, stops_after_4) == 75
    assert run_job(run.path, poisoned_at({5}, "loss")) == 1
    assert "Step 5" in events(run, "failed")[0]["title"]


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_number_that_is_not_finite_stops_the_run_and_is_never_saved(
    what: str, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(pictures, tmp_path, output={"save_every_steps": 1})
    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, poisoned_at({3, 4, 5, 6}, what)) == 1
    (failure,) = events(run, "failed")
    assert "Step 5" in failure["title"] and "pictures/0" in failure["message"]
    assert [event["step"] for event in events(run, "step")] == [1, 2, 3, 4]
    assert len(events(run, "problem")) == MOST_IN_A_ROW - 1
    good = load(files(whole)["toy-step00000002.safetensors"])
    for name in ("toy-step00000002.safetensors", "toy-step00000004.safetensors"):
        left = load(files(run)[name])
        assert all(torch.equal(left[key], good[key]) for key in good)
    assert "toy-step00000005.safetensors" not in files(run)


def test_weights_that_are_no_numbers_never_reach_a_state(pictures: Path, tmp_path: Path) -> None:
    def work(job: Job) -> None:
        trainer = prepare(job)
        apply = trainer.apply_gradients

        def leaps(figures: list[float], window: Window) -> bool:
            applied = apply(figures, window)
            if trainer.step == 2:
                trainer._parameters[1].data[0, 0] = torch.inf
            return applied

        trainer.apply_gradients = leaps
        trainer.train()

    config = toy_config(
        pictures,
        tmp_path,
        samples={"prompts": ["mika"], "every_steps": 1},
        output={"save_every_epochs": 0},
    )
    run = RunDirectory.create(config)
    assert run_job(run.path, work) == 1
    assert "no longer numbers" in events(run, "failed")[0]["title"]
    assert sorted(path.name for path in run.state_path.glob("step-*")) == [
        "step-00000001",
        "step-00000002",
    ]


def test_fp16_goes_on_after_an_overflow_with_half_the_scale(pictures: Path, tmp_path: Path) -> None:
    model = {"base": "toys/flow", "family": "toy_flow", "precision": "fp16"}
    scales: list[float] = []
    moved: list[bool] = []

    def look(trainer: Trainer) -> None:
        assert trainer.scaler
        accumulate, window = trainer.accumulate, whole_epoch(trainer)

        def overflowing(window: Window) -> torch.Tensor:
            loss = accumulate(window)
            poison(trainer)
            return loss

        for step in (overflowing, accumulate):
            before = trainer.network.state_dict()
            trainer.accumulate = step
            trainer.learn_from(window)
            scales.append(trainer.scaler.get_scale())
            after = trainer.network.state_dict()
            moved.append(any(not torch.equal(after[name], before[name]) for name in after))
        trainer.accumulate = overflowing
        trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": 1.0})
        # At the smallest scale it is no overflow of the scaler's any more.
        trainer.learn_from(window)
        assert trainer.setbacks.in_a_row == 1

    examine(toy_config(pictures, tmp_path, model=model), look)
    assert scales == [2.0**15, 2.0**15]
    assert moved == [False, True]


def test_gradient_checkpointing_changes_nothing_but_memory(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    kept: list[int] = []

    def work(job: Job) -> None:
        trainer = prepare(job)
        window = next(window for _, window in trainer.windows_left())
        count = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal count
            count += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            trainer.batches.loss(window[0], 1)
        kept.append(count)
        trainer.train()

    results = [
        files(
            start(
                sd_config(
                    tiny_sd, pictures, tmp_path, training={"gradient_checkpointing": checkpointing}
                ),
                work,
            )
        )
        for checkpointing in (False, True)
    ]
    assert kept[1] < 0.5 * kept[0]
    torch.testing.assert_close(
        load(results[0]["toy.safetensors"]), load(results[1]["toy.safetensors"])
    )


@pytest.mark.parametrize("text", ["off", "inherit"])
def test_all_precisions_agree_on_the_gradient(
    text: str, tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    figures: dict[str, tuple[float, float]] = {}
    for precision in ("fp32", "bf16", "fp16"):

        def look(trainer: Trainer, precision: str = precision) -> None:
            figures[precision] = trainer.learn_from(whole_epoch(trainer))

        config = sd_config(
            tiny_sd,
            pictures,
            tmp_path,
            model={"base": str(tiny_sd), "family": "sd1", "precision": precision},
            optimizer={"text_encoder_learning_rate": text},
        )
        examine(config, look)
    assert figures["bf16"] == pytest.approx(figures["fp32"], rel=0.05)
    assert figures["fp16"] == pytest.approx(figures["fp32"], rel=0.01)
