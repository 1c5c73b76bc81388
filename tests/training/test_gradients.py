"""What happens to gradients between the loss and the optimizer."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lora_wizard.core.dataset.plan import Window
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import NotFiniteError, Trainer
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
            def after(figures: list[float], window: Window) -> None:
                grads = [weight.grad for weight in trainer._parameters if weight.grad is not None]
                left[0] = torch.nn.utils.get_total_norm(grads).item()

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


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_number_that_is_not_finite_stops_the_run_and_is_never_saved(
    what: str, pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(pictures, tmp_path, output={"save_every_steps": 1})

    def work(job: Job) -> None:
        trainer = prepare(job)
        accumulate = trainer.accumulate

        def poisoned(window: Window) -> torch.Tensor:
            loss = accumulate(window)
            if trainer.step == 4:
                if what == "loss":
                    return loss * torch.nan
                poison(trainer)
            return loss

        trainer.accumulate = poisoned
        trainer.train()

    whole = start(config)
    run = RunDirectory.create(config)
    assert run_job(run.path, work) == 1
    (failure,) = events(run, "failed")
    assert "Step 5" in failure["title"] and "pictures/0" in failure["message"]
    assert [event["step"] for event in events(run, "step")] == [1, 2, 3, 4]
    assert files(run) == {name: data for name, data in files(whole).items() if name in files(run)}
    assert "toy-step00000004.safetensors" in files(run)
    assert "toy-step00000005.safetensors" not in files(run)


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
        with pytest.raises(NotFiniteError):
            trainer.learn_from(window)

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
