"""The weights' moving average against a plain loop and diffusers', and LoRA+ against PEFT's."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from diffusers.training_utils import EMAModel
from lora_wizard.core.config import NetworkOptions, OptimizerOptions
from lora_wizard.core.networks import registry
from lora_wizard.core.optimizers import registry as optimizers
from lora_wizard.core.optimizers.settings import settled
from lora_wizard.core.run.job import Job
from lora_wizard.core.training.ema import MovingAverage
from lora_wizard.core.training.groups import parameter_groups
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from peft.optimizers import create_loraplus_optimizer
from tiny_sd import load
from training_runs import events, examine, files, start, toy_config

DECAY = 0.7
State = dict[str, torch.Tensor]


def plain_average(states: list[State]) -> State:
    """diffusers' published rule, number by number: the first state as it is, and then
    average * d + weight * (1 - d) with d = min(decay, (1 + n) / (10 + n)), n from 1."""
    average = {name: tensor.double() for name, tensor in states[0].items()}
    for n, state in enumerate(states[1:], 1):
        d = min(DECAY, (1 + n) / (10 + n))
        for name, tensor in state.items():
            average[name] = average[name] * d + tensor.double() * (1 - d)
    return average


def close(one: State, other: State) -> bool:
    assert one.keys() == other.keys()
    return all(torch.allclose(one[name].double(), other[name].double(), atol=1e-7) for name in one)


def test_the_average_is_saved_and_drawn_and_the_training_does_not_notice(
    pictures: Path, tmp_path: Path
) -> None:
    config = toy_config(
        pictures,
        tmp_path,
        training={"epochs": 8, "ema_decay": DECAY},
        samples={"every_epochs": 8},
        output={"save_every_epochs": 8},
    )
    steps: list[State] = []
    drawn: list[State] = []
    saved: State = {}

    def work(job: Job) -> None:
        trainer = prepare(job)
        network, tell, draw = trainer.network, trainer.tell, trainer.previews.draw

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            steps.append(network.state_dict())

        def drawing(step: int, epoch: int, *, is_last: bool = False) -> bool:
            drawn.append(network.state_dict())
            return draw(step, epoch, is_last=is_last)

        trainer.tell, trainer.previews.draw = told, drawing
        trainer.train()
        assert all(torch.equal(steps[-1][name], now) for name, now in network.state_dict().items())
        (file,) = job.directory.path.glob("*.safetensors")
        network.load_file_tensors(safetensors.torch.load(file.read_bytes()))
        saved.update(network.state_dict())

    run = start(config, work)
    expected = plain_average(steps)
    assert len(steps) > 20
    assert close(saved, expected)
    assert not close(steps[-1], expected)
    assert close(drawn[-1], expected)
    plain = config.model_copy(
        update={"training": config.training.model_copy(update={"ema_decay": None})}
    )
    without = start(plain)
    assert [event["loss"] for event in events(run, "step")] == [
        event["loss"] for event in events(without, "step")
    ]
    assert files(run) != files(without)


def test_the_average_is_diffusers(tiny_sd: Path) -> None:
    network = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, ["denoiser"])
    weights = network.parameters_of("denoiser")
    theirs = EMAModel(weights, decay=DECAY)
    ours = MovingAverage(network, DECAY)
    generator = torch.Generator().manual_seed(1)
    for step in range(1, 30):
        with torch.no_grad():
            for weight in weights:
                weight.add_(torch.randn(weight.shape, generator=generator))
        theirs.step(weights)
        ours.update(step)
    own = [weight.detach().clone() for weight in weights]
    with ours.applied():
        for weight, shadow in zip(weights, theirs.shadow_params, strict=True):
            assert torch.allclose(weight, shadow, atol=1e-5)
    assert all(map(torch.equal, weights, own))


def test_up_matrices_learn_as_fast_as_with_peft(tiny_sd: Path) -> None:
    ratio, rate = 16.0, 1e-3
    ours, theirs = (
        registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, ["denoiser"]) for _ in range(2)
    )
    published = create_loraplus_optimizer(
        theirs._tuners["denoiser"],  # type: ignore[attr-defined]
        torch.optim.AdamW,
        lr=rate,
        loraplus_lr_ratio=ratio,
        loraplus_weight_decay=0.01,
    )
    options = settled(OptimizerOptions(learning_rate=rate, loraplus_ratio=ratio))
    groups = parameter_groups(ours, {"denoiser": rate}, ratio)
    assert {group.name: group.rate for group in groups} == {
        "denoiser": rate,
        "denoiser up": rate * ratio,
    }
    own = optimizers.find("adamw").build(groups, options)
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        pairs = zip(ours.parameters_of("denoiser"), theirs.parameters_of("denoiser"), strict=True)
        for one, other in pairs:
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        own.step()
        published.step()
    before = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, ["denoiser"]).state_dict()
    for name, tensor in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name], tensor, atol=1e-7), name
        moved = (tensor - before[name]).abs().mean().item()
        assert (moved > 5 * rate * 5) == name.endswith(".up")


def test_a_run_tells_the_rates_of_both_kinds(pictures: Path, tmp_path: Path) -> None:
    def look(trainer: Trainer) -> None:
        trainer.train()

    optimizer = {"loraplus_ratio": 8.0, "text_encoder_learning_rate": 1e-3, "scheduler": "linear"}
    run = examine(toy_config(pictures, tmp_path, optimizer=optimizer), look)
    first = events(run, "step")[0]["learning_rates"]
    assert first == {
        "unet": 1e-2,
        "unet up": 8e-2,
        "text_encoder": 1e-3,
        "text_encoder up": 8e-3,
    }
    last = events(run, "step")[-1]["learning_rates"]
    assert last["unet up"] == pytest.approx(8 * last["unet"]) and last["unet"] < 1e-2


def test_schedule_free_saves_what_its_authors_evaluate(pictures: Path, tmp_path: Path) -> None:
    pytest.importorskip("schedulefree")
    optimizer = {"name": "adamw_schedulefree", "learning_rate": 1e-2}

    def look(trainer: Trainer) -> None:
        trainer.train()
        network, run = trainer.network, trainer.job.directory.path
        trained = network.state_dict()
        network.load_file_tensors(safetensors.torch.load((run / "toy.safetensors").read_bytes()))
        saved = network.state_dict()
        network.load_state_dict(trained)
        trainer.optimizer.eval()  # type: ignore[attr-defined]
        assert close(saved, network.state_dict())
        assert not close(saved, trained)

    examine(toy_config(pictures, tmp_path, optimizer=optimizer), look)
