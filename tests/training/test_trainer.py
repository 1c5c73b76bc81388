"""What a step does: learning, weights of the loss, rates, gradients, and what stops it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.plan import Window
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import NotFiniteError, Trainer
from safetensors.torch import load
from training_runs import draw_pictures, events, files, sd_config, start, toy_config


def poison(trainer: Trainer) -> None:
    """Make one number of one gradient infinite."""
    gradient = trainer._parameters[3].grad
    assert gradient is not None
    gradient[0, 0] = torch.inf


Configure = Callable[..., RunConfig]
Weights = dict[str, torch.Tensor]


@pytest.fixture(params=["toy", "sd"])
def configure(request: pytest.FixtureRequest) -> Configure:
    """Both families, through the same seam."""
    if request.param == "toy":
        return toy_config
    base: Path = request.getfixturevalue("tiny_sd")
    return lambda pictures, runs, **sections: sd_config(base, pictures, runs, **sections)


def examine(config: RunConfig, look: Callable[[Trainer], None]) -> RunDirectory:
    """A run that is prepared, and then looked at instead of trained."""
    return start(config, lambda job: look(prepare(job)))


def whole_epoch(trainer: Trainer) -> Window:
    return tuple(batch for _, window in trainer.windows_left() for batch in window)


def test_it_learns(configure: Configure, pictures: Path, tmp_path: Path) -> None:
    losses: list[float] = []

    def look(trainer: Trainer) -> None:
        window = whole_epoch(trainer)
        for _ in range(30):
            losses.append(trainer.learn_from(window)[0])

    training = {"epochs": 1, "batch_size": 2}
    examine(configure(pictures, tmp_path, training=training), look)
    assert losses[-1] < 0.9 * losses[0], losses


def test_any_split_of_a_window_gives_the_same_update(configure: Configure, tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path / "pictures", count=12)
    figures: dict[str, tuple[float, float]] = {}
    gradients: dict[str, Weights] = {}

    def look(trainer: Trainer) -> None:
        (batch, *_) = (batch for batch in whole_epoch(trainer) if len(batch) == 4)
        splits: dict[str, Window] = {
            "4": (batch,),
            "2x2": (batch[:2], batch[2:]),
            "1x4": tuple((draw,) for draw in batch),
            "3+1, in another order": ((batch[3], batch[1], batch[0]), (batch[2],)),
        }
        for name, window in splits.items():
            loss = trainer.accumulate(window)
            weights = [
                weight for group in trainer.optimizer.param_groups for weight in group["params"]
            ]
            gradients[name] = {
                str(index): weight.grad.clone()
                for index, weight in enumerate(weights)
                if weight.grad is not None
            }
            figures[name] = loss.item(), float(len(gradients[name]))
            trainer.optimizer.zero_grad()

    examine(configure(folder, tmp_path / "runs", training={"epochs": 1, "batch_size": 4}), look)
    assert any(bool(grad.abs().max() > 1e-4) for grad in gradients["4"].values())
    for name in figures:
        assert figures[name] == pytest.approx(figures["4"], rel=1e-5)
        torch.testing.assert_close(gradients[name], gradients["4"], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("rates", "parts"),
    [
        ({}, {"unet": 1e-2, "text_encoder": 1e-2}),
        ({"text_encoder_learning_rate": "off"}, {"unet": 1e-2}),
        ({"unet_learning_rate": "off"}, {"text_encoder": 1e-2}),
        ({"text_encoder_learning_rate": 5e-4}, {"unet": 1e-2, "text_encoder": 5e-4}),
    ],
)
def test_rates_off_inherit_and_a_number(
    configure: Configure,
    pictures: Path,
    tmp_path: Path,
    rates: dict[str, Any],
    parts: dict[str, float],
) -> None:
    changed: set[str] = set()

    def look(trainer: Trainer) -> None:
        before = trainer.network.state_dict()
        trainer.learn_from(whole_epoch(trainer))
        after = trainer.network.state_dict()
        changed.update(
            name.split(".")[0] for name in after if not torch.equal(after[name], before[name])
        )
        trainer.step = 1
        trainer.tell(1, 0.0, 0.0)

    run = examine(configure(pictures, tmp_path, optimizer={"learning_rate": 1e-2, **rates}), look)
    assert {"unet" if part == "denoiser" else part for part in changed} == set(parts)
    assert events(run, "step")[0]["learning_rates"] == parts


def test_the_rates_told_are_those_of_the_optimizer(pictures: Path, tmp_path: Path) -> None:
    used: list[float] = []

    def work(job: Job) -> None:
        trainer = prepare(job)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            used.append(trainer.optimizer.param_groups[0]["lr"])
            tell(epoch, loss, gradient_norm)

        trainer.tell = told
        trainer.train()

    schedule = {"scheduler": "linear", "warmup": 2, "learning_rate": 1e-2}
    run = start(toy_config(pictures, tmp_path, optimizer=schedule), work)
    told = [event["learning_rates"]["unet"] for event in events(run, "step")]
    assert told == used == pytest.approx([0, 5e-3, 1e-2, 7.5e-3, 5e-3, 2.5e-3])


def regularized(tmp_path: Path, weight: float) -> Callable[[Callable[[Trainer], None]], None]:
    folder = draw_pictures(tmp_path / "pictures", count=3)
    classes = draw_pictures(tmp_path / "classes", count=3, word="thing")
    config = toy_config(
        folder,
        tmp_path / "runs",
        dataset={"regularization_folder": str(classes)},
        training={"epochs": 1, "batch_size": 1},
        loss={"prior_loss_weight": weight},
    )
    return lambda look: (examine(config, look), None)[1]


def test_the_prior_weight_is_that_of_regularization_pictures_alone(tmp_path: Path) -> None:
    losses: dict[float, dict[str, float]] = {}

    def look_with(weight: float) -> Callable[[Trainer], None]:
        def look(trainer: Trainer) -> None:
            losses[weight] = {
                batch[0].sample.id: trainer.batches.loss(batch, 1).item()
                for batch in whole_epoch(trainer)
            }

        return look

    for weight in (1.0, 0.25, 0.0):
        regularized(tmp_path, weight)(look_with(weight))
    assert len(losses[1.0]) == 6
    for identity, loss in losses[1.0].items():
        share = {True: 0.25, False: 1.0}["classes" in identity]
        assert losses[0.25][identity] == pytest.approx(share * loss)
        assert losses[0.0][identity] == pytest.approx(0 if share < 1 else loss)


def test_min_snr_lowers_the_weight_of_little_noise(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    losses: dict[float | None, list[float]] = {}

    def look_with(gamma: float | None) -> Callable[[Trainer], None]:
        def look(trainer: Trainer) -> None:
            draws = [draw for batch in whole_epoch(trainer) for draw in batch]
            later = [replace(draw, repeat=repeat) for draw in draws for repeat in range(8)]
            losses[gamma] = [trainer.batches.loss((draw,), 1).item() for draw in later]

        return look

    for gamma in (None, 5.0):
        config = sd_config(
            tiny_sd, pictures, tmp_path, loss={"min_snr_gamma": gamma} if gamma else {}
        )
        examine(config, look_with(gamma))
    ratios = [weighted / plain for weighted, plain in zip(losses[5.0], losses[None], strict=True)]
    assert all(ratio < 1.0001 for ratio in ratios)
    assert min(ratios) < 0.5 and max(ratios) > 0.999


def test_noise_offset_changes_the_loss_and_nothing_else_drawn(
    pictures: Path, tmp_path: Path
) -> None:
    losses: list[float] = []

    def look(trainer: Trainer) -> None:
        losses.append(trainer.accumulate(whole_epoch(trainer)).item())

    for offset in (0.0, 1e-9, 0.5):
        examine(toy_config(pictures, tmp_path, loss={"noise_offset": offset}), look)
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    assert abs(losses[2] - losses[0]) > 0.01


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
