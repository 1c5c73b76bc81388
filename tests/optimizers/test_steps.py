"""The optimizers move weights as their authors' do, and go on from a kept state as if nothing had
been."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import safetensors.torch
import torch
from lora_wizard.core.config import OptimizerOptions
from lora_wizard.core.optimizers import registry, state
from lora_wizard.core.optimizers.base import ParameterGroup
from lora_wizard.core.optimizers.settings import missing_package, settled
from transformers.optimization import Adafactor

SHAPES = ((8, 640), (640, 8), (3, 5))
"""The first two are large enough for 8 bits."""


def there(name: str) -> None:
    if missing_package(registry.find(name)):
        pytest.skip(f"the package of {name} is not installed")


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    made = [torch.nn.Parameter(torch.randn(shape, generator=generator) / 9) for shape in SHAPES]
    with torch.no_grad():
        made[1].zero_()
    return made


def gradients(count: int) -> Iterator[list[torch.Tensor]]:
    """Of a loss with its lowest point at one and noise on top."""
    generator = torch.Generator().manual_seed(4)
    for _ in range(count):
        yield [torch.randn(shape, generator=generator) / 50 - 0.01 for shape in SHAPES]


def step(optimizer: torch.optim.Optimizer, of: list[torch.Tensor]) -> None:
    flat = [weight for group in optimizer.param_groups for weight in group["params"]]
    for weight, gradient in zip(flat, of, strict=False):
        weight.grad = gradient.clone()
    optimizer.step()


def build(values: list[torch.nn.Parameter], **options: Any) -> torch.optim.Optimizer:
    chosen = settled(OptimizerOptions(**options))
    rate = chosen.learning_rate or 1.0
    groups = [
        ParameterGroup("denoiser", values[:2], rate),
        ParameterGroup("text_encoder", values[2:], rate),
    ][: len(values) - 1]
    return registry.find(chosen.name).build(groups, chosen)


def moved(optimizer: torch.optim.Optimizer, steps: int) -> list[torch.Tensor]:
    for of in gradients(steps):
        step(optimizer, of)
    return [weight.detach() for group in optimizer.param_groups for weight in group["params"]]


def prodigy(values: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    from prodigyopt import Prodigy

    return Prodigy(
        values,
        lr=1.0,
        betas=(0.9, 0.99),
        weight_decay=0.01,  # type: ignore[arg-type]
        decouple=True,
        d_coef=2,
        use_bias_correction=True,
        safeguard_warmup=False,
    )


def adafactor(values: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return Adafactor(values, lr=1e-3, scale_parameter=False, relative_step=False, warmup_init=False)


def adafactor_alone(values: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return Adafactor(
        values, lr=None, scale_parameter=True, relative_step=True, warmup_init=True, beta1=0.9
    )


def adamw8bit(values: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    from bitsandbytes.optim import AdamW8bit

    return AdamW8bit(values, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)


ALONE = {"relative_step": True, "scale_parameter": True, "warmup_init": True, "beta1": 0.9}


@pytest.mark.parametrize(
    ("options", "published"),
    [
        ({"name": "prodigy"}, prodigy),  # S4's arguments are the defaults
        ({"name": "adafactor", "learning_rate": 1e-3}, adafactor),
        ({"name": "adafactor", "arguments": ALONE}, adafactor_alone),
        (
            {
                "name": "adamw8bit",
                "learning_rate": 1e-3,
                "betas": [0.9, 0.95],
                "weight_decay": 0.1,
            },
            adamw8bit,
        ),
    ],
    ids=["prodigy", "adafactor", "adafactor alone", "adamw8bit"],
)
def test_weights_go_where_the_authors_optimizer_takes_them(
    options: dict[str, Any],
    published: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer],
) -> None:
    there(options["name"])
    for ours, theirs in zip(
        moved(build(weights(), **options), 12), moved(published(weights()), 12), strict=True
    ):
        assert torch.equal(ours, theirs)
    begun = weights()[0].detach()
    assert not torch.equal(moved(build(weights(), **options), 12)[0], begun)


def test_other_arguments_do_something() -> None:
    there("prodigy")
    for arguments in (
        {"d_coef": 1.0},
        {"d0": 1e-4},
        {"growth_rate": 1.01},
        {"use_bias_correction": False},
        {"slice_p": 3},
    ):
        changed = moved(build(weights(), name="prodigy", arguments=arguments), 12)
        assert not torch.equal(changed[0], moved(build(weights(), name="prodigy"), 12)[0])


def test_8_bit_stays_near_32() -> None:
    there("adamw8bit")
    rate = {"learning_rate": 1e-2}
    near = moved(build(weights(), name="adamw8bit", **rate), 20)
    exact = moved(build(weights(), name="adamw", **rate), 20)
    for one, other, begun in zip(near, exact, weights(), strict=True):
        assert (one - other).norm() < 0.05 * (other - begun).norm()


@pytest.mark.parametrize(
    "options",
    [
        {"name": "adamw"},
        {"name": "adamw8bit", "learning_rate": 1e-2},
        {"name": "lion"},
        {"name": "adamw_schedulefree"},
        {"name": "prodigy"},
        {"name": "prodigy", "arguments": {"slice_p": 3, "growth_rate": 1.5}},
        {"name": "adafactor"},
        {"name": "adafactor", "arguments": ALONE},
    ],
    ids=str,
)
def test_a_kept_state_goes_on_bit_for_bit(options: dict[str, Any]) -> None:
    there(options["name"])
    whole = weights()
    uninterrupted = build(whole, **options)
    of = list(gradients(9))
    for each in of:
        step(uninterrupted, each)

    values = weights()
    kept = b"", ""
    for each in of:
        # A new process for every step, with what files keep of the one before.
        optimizer = build(values, **options)
        if each is not of[0]:
            tensors = safetensors.torch.load(kept[0])
            state.restore(optimizer, tensors, json.loads(kept[1]))
        step(optimizer, each)
        tensors, scalars = state.dump(optimizer)
        # No NaN and no infinity: others can read the file, too.
        kept = safetensors.torch.save(tensors), json.dumps(scalars, allow_nan=False)
        values = [torch.nn.Parameter(weight.detach().clone()) for weight in values]
    for one, other in zip(values, whole, strict=True):
        assert torch.equal(one, other)


def test_lion_is_the_published_rule() -> None:
    values = weights()
    expected = [weight.detach().double() for weight in values]
    means = [torch.zeros_like(weight) for weight in expected]
    moved(build(values, name="lion", learning_rate=1e-3, weight_decay=0.1), 7)
    for of in gradients(7):
        for weight, mean, gradient in zip(expected, means, of, strict=True):
            gradient = gradient.double()
            direction = (0.9 * mean + 0.1 * gradient).sign()
            weight -= 1e-3 * (direction + 0.1 * weight)
            mean.copy_(0.99 * mean + 0.01 * gradient)
    for weight, theirs in zip(values, expected, strict=True):
        assert torch.allclose(weight.double(), theirs, atol=1e-6)


def test_schedule_free_is_its_authors_and_is_not_moved_by_a_look() -> None:
    there("adamw_schedulefree")
    from schedulefree import AdamWScheduleFree

    finished = registry.find("adamw_schedulefree").finished_weights
    assert finished
    ours, theirs = weights(), weights()
    own = build(ours, name="adamw_schedulefree", learning_rate=1e-2)
    published = AdamWScheduleFree(theirs, lr=1e-2, weight_decay=0.01)
    published.train()
    for of in gradients(9):
        step(own, of)
        step(published, of)
        before = [weight.detach().clone() for weight in ours]
        with finished(own):
            looked = [weight.detach().clone() for weight in ours]
        assert all(map(torch.equal, ours, before))
    assert all(map(torch.equal, ours, theirs))
    published.eval()
    assert all(map(torch.equal, looked, theirs))
    assert not torch.equal(looked[0], before[0])


def test_prodigy_tells_the_rate_that_adamw_would_have() -> None:
    there("prodigy")
    spec = registry.find("prodigy")
    optimizer = build(weights(), name="prodigy")
    moved(optimizer, 30)
    assert spec.step_size
    found = spec.step_size(optimizer)
    assert found and 1e-6 < found < 1
    assert found == optimizer.param_groups[0]["d"]
    for group in optimizer.param_groups:
        group["lr"] = 0.25
    assert spec.step_size(optimizer) == found / 4


def test_adafactor_tells_its_own_rate_and_no_other() -> None:
    step_size = registry.find("adafactor").step_size
    assert step_size
    given = build(weights(), name="adafactor")
    moved(given, 2)
    assert step_size(given) is None
    alone = build(weights(), name="adafactor", arguments={"relative_step": True})
    assert step_size(alone) is None, "before the first step"
    moved(alone, 20_000 // 1000)
    assert step_size(alone) == pytest.approx(min(1e-2, 1 / math.sqrt(20)))


@pytest.mark.parametrize("name", registry.names())
def test_what_is_remembered_is_what_estimates_count(name: str) -> None:
    there(name)
    optimizer = build(weights()[:2], name=name)
    moved(optimizer, 2)
    tensors, _ = state.dump(optimizer)
    # The tables of 8-bit numbers are shared by all weights.
    own = [tensor for name, tensor in tensors.items() if "/qmap" not in name]
    numbers = sum(weight.numel() for weight in weights()[:2])
    per_number = sum(tensor.numel() * tensor.element_size() for tensor in own) / numbers
    # Prodigy keeps no beginnings that are zero, Adafactor less the higher the rank.
    counted = registry.find(name).state_bytes
    assert 0.4 * counted < per_number < 1.02 * counted
