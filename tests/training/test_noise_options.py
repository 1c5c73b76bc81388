"""Every option of the noise and the loss moves the loss, alone, for each sample as it says, and the
same however a batch is split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import LossOptions
from lora_wizard.core.dataset.plan import MicroBatch
from lora_wizard.core.training.batches import Batches
from lora_wizard.core.training.trainer import Trainer
from tiny_sd import build
from training_runs import examine, sd_config, toy_config, whole_epoch

OPTIONS: list[dict[str, Any]] = [
    {"type": "l1"},
    {"type": "huber"},
    {"type": "huber", "huber_c": 0.5},
    {"type": "huber", "huber_schedule": "constant"},
    {"type": "huber", "huber_schedule": "exponential"},
    {"type": "huber", "huber_schedule": "exponential", "huber_scale": 3.0},
    {"type": "smooth_l1"},
    {"noise_offset": 0.3},
    {"noise_offset": 0.3, "noise_offset_random_strength": True},
    {"adaptive_noise_scale": 0.5},
    {"multires_iterations": 6},
    {"multires_iterations": 6, "multires_discount": 0.8},
    {"multires_iterations": 2},
    {"input_perturbation": 0.5},
    {"input_perturbation": 0.5, "input_perturbation_random_strength": True},
    {"min_timestep": 700},
    {"max_timestep": 300},
]
OF_EPSILON: list[dict[str, Any]] = [
    {"min_snr_gamma": 5.0},
    {"debiased": True},
    {"v_like_loss": 0.5},
]
OF_V: list[dict[str, Any]] = [
    {"min_snr_gamma": 5.0},
    {"debiased": True},
    {"scale_v_like_epsilon": True},
]
Losses = Callable[[dict[str, Any], MicroBatch], torch.Tensor]


def with_losses(config: Any, look: Callable[[Losses, MicroBatch], None]) -> None:
    """Call ``look`` with what a micro-batch's loss is under other options, and with four draws of
    one bucket."""

    def inside(trainer: Trainer) -> None:
        batches: Any = trainer.batches

        def loss(options: dict[str, Any], draws: MicroBatch) -> torch.Tensor:
            changed = config.model_copy(update={"loss": LossOptions(**options)})
            family, encoded, told = batches._family, batches._pictures, batches._conditioning
            other = Batches(changed, family, encoded, told, batches._device)
            return other.loss(draws, len(draws))

        _, (batch, *_) = next(trainer.windows_left())
        draws = tuple(replace(batch[0], repeat=repeat) for repeat in range(4))
        look(loss, draws)

    examine(config, inside)


@pytest.fixture(scope="module")
def v_sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("v") / "base", prediction_type="v_prediction")


@pytest.mark.parametrize("kind", ["flow", "epsilon", "v", "zero"])
def test_every_option_moves_the_loss_of_a_batch_and_of_its_parts_alike(
    kind: str, tiny_sd: Path, v_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    own = {
        "flow": OPTIONS,
        "epsilon": [*OPTIONS, *OF_EPSILON],
        "v": OF_V,
        "zero": OF_V,
    }[kind]

    def look(loss: Losses, draws: MicroBatch) -> None:
        found = [loss({}, draws).item()]
        for options in own:
            found.append(loss(options, draws).item())
            first, others = loss(options, draws[:1]).item(), loss(options, draws[1:]).item()
            apart = (first + (len(draws) - 1) * others) / len(draws)
            assert found[-1] == pytest.approx(apart, rel=1e-4), options
        assert all(0 < value < 100 for value in found)
        assert len({round(value, 6) for value in found}) == len(found), found

    if kind == "flow":
        with_losses(toy_config(pictures, tmp_path), look)
        return
    base = tiny_sd if kind == "epsilon" else v_sd
    model = {"base": str(base), "family": "sd1", "zero_terminal_snr": kind == "zero"}
    with_losses(sd_config(base, pictures, tmp_path, model=model), look)


def test_strengths_of_nothing_change_nothing(pictures: Path, tmp_path: Path) -> None:
    def look(loss: Losses, draws: MicroBatch) -> None:
        plain = loss({}, draws).item()
        for name in ("noise_offset", "input_perturbation"):
            for options in ({name: 0.0}, {f"{name}_random_strength": True}):
                assert loss(options, draws).item() == plain
            assert loss({name: 1e-6}, draws).item() == pytest.approx(plain, rel=1e-4)

    with_losses(toy_config(pictures, tmp_path), look)


def test_the_perturbation_is_not_what_must_be_told(
    tiny_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    """The denoiser sees sqrt(1 - abar) gamma n' more; the target stays n."""
    seen: dict[float, tuple[torch.Tensor, torch.Tensor]] = {}

    def inside(trainer: Trainer) -> None:
        family: Any = trainer.batches._family
        predict = family.predict
        timesteps: list[torch.Tensor] = []

        def spied(*arguments: Any) -> tuple[torch.Tensor, torch.Tensor]:
            timesteps.append(arguments[2])
            return predict(*arguments)

        def denoise(latents: torch.Tensor, *_: Any) -> torch.Tensor:
            inputs.append(latents)
            return torch.zeros_like(latents, requires_grad=True)

        inputs: list[torch.Tensor] = []
        family.predict, family.denoise = spied, denoise
        _, (batch, *_) = next(trainer.windows_left())
        value = trainer.batches.loss(batch, len(batch)).detach()
        seen[trainer.config.loss.input_perturbation] = inputs[0], value
        more.append((1 - family._schedule.abar[timesteps[0]]).sqrt())

    more: list[torch.Tensor] = []
    for gamma in (0.0, 0.1, 0.2):
        loss = {"input_perturbation": gamma}
        examine(sd_config(tiny_sd, pictures, tmp_path, loss=loss), inside)
    (plain, target), (once, same), (twice, _) = (seen[gamma] for gamma in (0.0, 0.1, 0.2))
    assert torch.equal(target, same)
    torch.testing.assert_close(twice - plain, 2 * (once - plain), atol=1e-5, rtol=1e-4)
    added = (once - plain) / (0.1 * more[0][:, None, None, None])
    assert added.std().item() == pytest.approx(1, abs=0.15)
    assert abs(added.mean().item()) < 0.15


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("epsilon", {"type": "huber", "multires_iterations": 6, "input_perturbation": 0.1}),
        ("epsilon", {"debiased": True, "noise_offset": 0.1}),
        ("epsilon", {"type": "smooth_l1", "v_like_loss": 0.5, "max_timestep": 600}),
        ("v", {"min_snr_gamma": 5.0}),
        ("zero", {"type": "l1", "scale_v_like_epsilon": True}),
    ],
)
def test_it_learns_with_them(
    kind: str, loss: dict[str, Any], tiny_sd: Path, v_sd: Path, pictures: Path, tmp_path: Path
) -> None:
    losses: list[float] = []

    def look(trainer: Trainer) -> None:
        window = whole_epoch(trainer)
        losses.extend(trainer.learn_from(window)[0] for _ in range(15))

    base = tiny_sd if kind == "epsilon" else v_sd
    model = {"base": str(base), "family": "sd1", "zero_terminal_snr": kind == "zero"}
    training = {"epochs": 1, "batch_size": 2}
    examine(sd_config(base, pictures, tmp_path, model=model, loss=loss, training=training), look)
    assert losses[-1] < 0.97 * losses[0], losses
