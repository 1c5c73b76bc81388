"""What a step does: learning, weights of the loss, rates, gradients, and what stops it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.plan import Window
from lora_wizard.core.run.job import Job
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from training_runs import draw_pictures, events, examine, sd_config, start, toy_config, whole_epoch

Configure = Callable[..., RunConfig]
Weights = dict[str, torch.Tensor]


@pytest.fixture(params=["toy", "sd"])
def configure(request: pytest.FixtureRequest) -> Configure:
    """Both families, through the same seam."""
    if request.param == "toy":
        return toy_config
    base: Path = request.getfixturevalue("tiny_sd")
    return lambda pictures, runs, **sections: sd_config(base, pictures, runs, **sections)


def test_it_learns(configure: Configure, pictures: Path, tmp_path: Path) -> None:
    losses: list[float] = []

    def look(trainer: Trainer) -> None:
        window = whole_epoch(trainer)
        for _ in range(30):
            losses.append(trainer.learn_from(window)[0])

    training = {"epochs": 1, "batch_size": 2}
    examine(configure(pictures, tmp_path, training=training), look)
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize(
    "loss",
    [
        {},
        {
            "type": "huber",
            "noise_offset": 0.1,
            "noise_offset_random_strength": True,
            "adaptive_noise_scale": 0.1,
            "multires_iterations": 6,
            "input_perturbation": 0.1,
            "input_perturbation_random_strength": True,
        },
    ],
)
def test_any_split_of_a_window_gives_the_same_update(
    configure: Configure, tmp_path: Path, loss: dict[str, Any]
) -> None:
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
            told = trainer.accumulate(window)
            weights = [
                weight for group in trainer.optimizer.param_groups for weight in group["params"]
            ]
            gradients[name] = {
                str(index): weight.grad.clone()
                for index, weight in enumerate(weights)
                if weight.grad is not None
            }
            figures[name] = told.item(), float(len(gradients[name]))
            trainer.optimizer.zero_grad()

    training = {"epochs": 1, "batch_size": 4}
    examine(configure(folder, tmp_path / "runs", training=training, loss=loss), look)
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
