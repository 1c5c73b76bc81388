"""Dropouts: what falls silent, when, and that it depends on keys alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from lora_wizard.core.config import NetworkOptions
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.networks import registry
from lora_wizard.core.networks.base import Network
from lora_wizard.core.networks.dropouts import layer_words, silent_places
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import run_job
from lora_wizard.core.training.__main__ import train
from tiny_sd import load, stir
from training_runs import draw_pictures, events, files, sd_config, start, stopping_after

BOTH = ("denoiser", "text_encoder")
KEYS = (12345678901234567890, 77, 3)
WORDS = ["one", "two", "three"]


def attached(base: Path, parts: Sequence[str] = BOTH, **options: Any) -> tuple[Any, Network]:
    family = load(base)
    network = registry.attach(family, NetworkOptions(rank=4, **options), 42, parts)
    stir(network)
    return family, network


def predict(family: StableDiffusion1, rows: Sequence[int] = (0, 1, 2)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latents, noise = (torch.randn(3, 4, 8, 8, generator=generator) for _ in range(2))
    text = family.encode_prompts([WORDS[row] for row in rows])
    batch = Batch(latents[list(rows)], text, torch.zeros(len(rows), 6))
    return family.predict(batch, noise[list(rows)], torch.tensor([10, 300, 700])[list(rows)])[0]


KINDS: list[dict[str, Any]] = [
    {"dropout": 0.3},
    {"rank_dropout": 0.3},
    {"module_dropout": 0.3},
    {"dropout": 0.2, "rank_dropout": 0.2, "module_dropout": 0.2, "conv_rank": 2},
]


@pytest.mark.parametrize("options", KINDS)
def test_it_silences_while_learning_and_never_else(tiny_sd: Path, options: dict[str, Any]) -> None:
    family, network = attached(tiny_sd, **options)
    plain = {name: value for name, value in options.items() if name == "conv_rank"}
    whole = predict(attached(tiny_sd, **plain)[0])
    assert torch.equal(predict(family), whole)
    with network.learning(1, KEYS):
        first = predict(family)
        assert torch.equal(predict(family), first)
    with network.learning(2, KEYS if "module_dropout" in options else (5, 6, 7)):
        other = predict(family)
    for row in range(3):
        assert not torch.allclose(first[row], whole[row], atol=1e-4)
        assert not torch.allclose(first[row], other[row], atol=1e-4)
    assert torch.equal(predict(family), whole)


@pytest.mark.parametrize("options", KINDS)
def test_a_sample_sees_the_same_in_any_batch(tiny_sd: Path, options: dict[str, Any]) -> None:
    family, network = attached(tiny_sd, **options)
    with network.learning(4, KEYS):
        together = predict(family)
    torch.manual_seed(9)
    for row, key in enumerate(KEYS):
        with network.learning(4, [key]):
            alone = predict(family, [row])[0]
        torch.testing.assert_close(alone, together[row], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", KINDS)
def test_checkpointing_sees_the_same(tiny_sd: Path, options: dict[str, Any]) -> None:
    seen: list[tuple[torch.Tensor, list[torch.Tensor | None]]] = []
    for checkpointing in (False, True):
        family, network = attached(tiny_sd, **options)
        if checkpointing:
            family.enable_gradient_checkpointing()
        with network.learning(1, KEYS):
            loss = predict(family).square().mean()
            loss.backward()
        weights = [weight for part in BOTH for weight in network.parameters_of(part)]
        seen.append((loss.detach(), [weight.grad for weight in weights]))
    (loss, gradients), (loss_again, gradients_again) = seen
    assert torch.equal(loss, loss_again)
    assert any(gradient is not None for gradient in gradients)
    for one, other in zip(gradients, gradients_again, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            torch.testing.assert_close(one, other)


def layer_of(family: StableDiffusion1, name: str) -> Any:
    return family.denoiser.get_submodule(name)


LINEAR = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
CONVOLUTION = "mid_block.resnets.0.conv1"


@pytest.mark.parametrize("name", [LINEAR, CONVOLUTION])
def test_ranks_fall_silent_whole_and_the_rest_speaks_up(tiny_sd: Path, name: str) -> None:
    family, network = attached(tiny_sd, rank_dropout=0.5, conv_rank=4)
    layer = layer_of(family, name)
    inputs = torch.randn(3, 16, 6, 6) if name == CONVOLUTION else torch.randn(3, 5, 16)
    with network.learning(1, KEYS), torch.no_grad():
        added = layer(inputs) - layer.base_layer(inputs)
    down, up = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    for row in range(3):
        fits = []
        for pattern in range(16):
            kept = torch.tensor([float(pattern >> rank & 1) for rank in range(4)])
            if name == CONVOLUTION:
                inside = torch.nn.functional.conv2d(inputs[row : row + 1], down, padding=1)[0]
                expected = torch.einsum("or,rhw->ohw", up[:, :, 0, 0] * kept, inside)
            else:
                expected = inputs[row] @ down.T @ (up * kept).T
            # alpha / rank is a half; what stays is doubled.
            fits.append(torch.allclose(added[row], 0.5 * 2 * expected, atol=1e-4))
        assert sum(fits) == 1


def test_dropout_stands_between_down_and_up(tiny_sd: Path) -> None:
    family, network = attached(tiny_sd, dropout=0.25)
    layer = layer_of(family, LINEAR)
    inside: list[torch.Tensor] = []
    layer.lora_B["default"].register_forward_pre_hook(lambda _, given: inside.append(given[0]))
    inputs = torch.randn(3, 50, 16)
    with network.learning(1, KEYS), torch.no_grad():
        layer(inputs)
    plain = inputs @ layer.lora_A["default"].weight.T
    silent = inside[0] == 0
    assert 0.15 < silent.float().mean() < 0.35
    torch.testing.assert_close(inside[0][~silent], plain.detach()[~silent] / 0.75)


def test_left_out_modules_are_not_trained_in_that_step(tiny_sd: Path) -> None:
    family, network = attached(tiny_sd, module_dropout=0.5)
    count = sum(network.layer_counts.values())
    left_out: list[set[str]] = []
    names = sorted(network.state_dict())
    for step in range(1, 21):
        with network.learning(step, KEYS):
            predict(family).square().mean().backward()
        weights = [weight for part in BOTH for weight in network.parameters_of(part)]
        left_out.append(
            {name for name, weight in zip(names, weights, strict=True) if weight.grad is None}
        )
        for weight in weights:
            weight.grad = None
    shares = [len(found) / (2 * count) for found in left_out]
    assert 0.4 < sum(shares) / len(shares) < 0.6
    assert len(set(map(frozenset, left_out))) == 20


def test_something_always_stays(tiny_sd: Path) -> None:
    family, network = attached(tiny_sd, module_dropout=0.999)
    for step in range(3):
        with network.learning(step, KEYS):
            predict(family).square().mean().backward()
    assert any(weight.grad is not None for weight in network.parameters_of("denoiser"))


def test_the_hash_is_uniform_and_nothing_hangs_together() -> None:
    samples = torch.arange(64) * 977 + 5
    words = layer_words(samples, torch.tensor([11, 12]))
    both = silent_places(*words, 4096, 0.3)
    assert both.shape == (2, 64, 4096)
    kept, other = (~both).double().numpy()
    assert kept.mean() == pytest.approx(0.7, abs=0.004)
    assert kept.mean(axis=0).std() == pytest.approx((0.21 / 64) ** 0.5, rel=0.1)
    assert kept.mean(axis=1).std() == pytest.approx((0.21 / 4096) ** 0.5, rel=0.4)
    pairs = [
        (kept[:-1], kept[1:]),
        (kept[:, :-1], kept[:, 1:]),
        (kept[:, :-16], kept[:, 16:]),
        (kept, other),
    ]
    for one, second in pairs:
        assert abs(numpy.corrcoef(one.ravel(), second.ravel())[0, 1]) < 0.01


STOPPED = 75


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_resume_is_exact(tiny_sd: Path, tmp_path: Path, checkpointing: bool) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 4)
    config = sd_config(
        tiny_sd,
        pictures,
        tmp_path,
        network={"dropout": 0.2, "rank_dropout": 0.2, "module_dropout": 0.3, "max_norm": 0.02},
        training={"epochs": 2, "batch_size": 2, "gradient_checkpointing": checkpointing},
        samples={"prompts": []},
    )
    whole = start(config)
    run = RunDirectory.create(config)
    for _ in events(whole, "step")[1:]:
        assert run_job(run.path, stopping_after()) == STOPPED
    assert run_job(run.path, train) == 0
    name = "toy.safetensors"
    assert files(run)[name] == files(whole)[name]
    for one, other in zip(events(run, "step"), events(whole, "step"), strict=True):
        assert {**one, "time": 0} == {**other, "time": 0}
