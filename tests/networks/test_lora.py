"""LoRA layers: where they hang, what they begin with, and that they can be taken off again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import NetworkOptions
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.networks import registry
from lora_wizard.core.networks.base import Network
from lora_wizard.core.registry import UnknownNameError
from tiny_sd import load, stir

BOTH = ("denoiser", "text_encoder")


@pytest.fixture
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


@pytest.fixture
def network(family: StableDiffusion1) -> Iterator[Network]:
    yield registry.attach(family, NetworkOptions(rank=4), 42, BOTH)


def predict(family: StableDiffusion1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latents, noise = (torch.randn(2, 4, 8, 8, generator=generator) for _ in range(2))
    batch = Batch(latents, family.encode_prompts(["one", "two"]), torch.zeros(2, 6))
    return family.predict(batch, noise, torch.tensor([10, 700]))[0]


def test_it_hangs_on_every_target_layer_and_changes_nothing_at_first(
    family: StableDiffusion1,
) -> None:
    targets = family.lora_targets()
    before = predict(family)
    network = registry.attach(family, NetworkOptions(rank=4), 42, BOTH)
    assert network.layer_counts == {part: len(names) for part, names in targets.items()}
    assert len(network.state_dict()) == 2 * sum(network.layer_counts.values())
    assert torch.equal(predict(family), before)


def test_only_its_own_weights_are_trained(family: StableDiffusion1, network: Network) -> None:
    predict(family).square().mean().backward()
    own = [weight for part in BOTH for weight in network.parameters_of(part)]
    trained = [
        weight
        for module in (family.denoiser, family.text_encoder)
        for weight in module.parameters()
        if weight.requires_grad
    ]
    assert {id(weight) for weight in trained} == {id(weight) for weight in own}
    assert all(weight.grad is not None for weight in own)


@pytest.mark.parametrize(
    ("rank", "alpha", "scale"), [(4, None, 0.5), (4, 4.0, 1.0), (8, 2.0, 0.25)]
)
def test_a_layer_computes_w_plus_alpha_by_rank_up_down(
    family: StableDiffusion1, rank: int, alpha: float | None, scale: float
) -> None:
    network = registry.attach(family, NetworkOptions(rank=rank, alpha=alpha), 1, ("denoiser",))
    stir(network)
    state = network.state_dict()
    for name in family_layers(state)[:8]:
        layer: Any = family.denoiser.get_submodule(name.removeprefix("denoiser."))
        down, up = state[f"{name}.down"].flatten(1), state[f"{name}.up"].flatten(1)
        weight, bias = layer.base_layer.weight.flatten(1), layer.base_layer.bias
        inputs = torch.randn(3, weight.shape[1])
        expected = torch.nn.functional.linear(inputs, weight + scale * up @ down, bias)
        is_convolution = layer.base_layer.weight.dim() == 4
        given = inputs[:, :, None, None] if is_convolution else inputs
        torch.testing.assert_close(layer(given).flatten(1), expected, atol=1e-5, rtol=1e-4)


def family_layers(state: dict[str, torch.Tensor]) -> list[str]:
    return sorted({name.rpartition(".")[0] for name in state})


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_its_weights_are_exact_on_a_rounded_base(tiny_sd: Path, precision: str) -> None:
    family = load(tiny_sd, precision=precision)
    network = registry.attach(family, NetworkOptions(rank=4), 42, BOTH)
    rounded = network.state_dict()
    exact = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, BOTH).state_dict()
    assert {tensor.dtype for tensor in rounded.values()} == {torch.float32}
    assert all(torch.equal(rounded[name], exact[name]) for name in exact)
    assert predict(family).isfinite().all()


def test_the_first_weights_are_kaimings_and_zero(network: Network) -> None:
    for name, weight in network.state_dict().items():
        if name.endswith(".up"):
            assert not weight.any()
        else:
            # Kaiming-uniform with a = sqrt(5): within 1 / sqrt(inputs), and spread over it.
            bound = 1 / math.sqrt(weight[0].numel())
            assert weight.abs().max() <= bound
            assert weight.std() > bound / math.sqrt(3) / 2


def test_the_first_weights_of_a_layer_depend_on_seed_and_name_alone(
    tiny_sd: Path, network: Network
) -> None:
    torch.manual_seed(7)
    alone = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, ("text_encoder",))
    both, one = network.state_dict(), alone.state_dict()
    assert one.keys() == {name for name in both if name.startswith("text_encoder.")}
    assert all(torch.equal(one[name], both[name]) for name in one)

    other = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 43, ("text_encoder",))
    downs = [name for name in one if name.endswith(".down")]
    assert not any(torch.equal(one[name], other.state_dict()[name]) for name in downs)
    assert not any(
        torch.equal(one[first], one[second])
        for first, second in itertools.combinations(downs, 2)
        if one[first].shape == one[second].shape
    )


def test_it_can_be_silenced_and_comes_back(family: StableDiffusion1, network: Network) -> None:
    base = predict(family)
    stir(network)
    with_it = predict(family)
    frozen = network.parameters_of("denoiser")[0].requires_grad_(False)
    with network.enabled(False):
        assert torch.equal(predict(family), base)
        with network.enabled(True):
            assert torch.equal(predict(family), with_it)
        assert torch.equal(predict(family), base)
    assert torch.equal(predict(family), with_it)
    assert not torch.equal(with_it, base)
    assert not frozen.requires_grad
    assert network.parameters_of("denoiser")[1].requires_grad


def test_detached_the_base_is_as_before(family: StableDiffusion1) -> None:
    before = predict(family)
    names = list(family.denoiser.state_dict())
    targets = family.lora_targets()
    network = registry.attach(family, NetworkOptions(rank=4), 42, BOTH)
    stir(network)
    network.detach()
    assert list(family.denoiser.state_dict()) == names
    assert family.lora_targets() == targets
    assert torch.equal(predict(family), before)
    again = registry.attach(family, NetworkOptions(rank=2), 42, BOTH)
    assert again.layer_counts == {part: len(found) for part, found in targets.items()}


def test_a_state_is_a_copy_and_comes_back_to_the_bit(network: Network) -> None:
    stir(network)
    state = network.state_dict()
    kept = {name: tensor.clone() for name, tensor in state.items()}
    stir(network, seed=2)
    assert all(torch.equal(state[name], kept[name]) for name in kept)
    network.load_state_dict(state)
    assert all(torch.equal(network.state_dict()[name], kept[name]) for name in kept)


def test_a_state_of_another_network_is_refused_whole(tiny_sd: Path, network: Network) -> None:
    before = network.state_dict()
    other_rank = registry.attach(load(tiny_sd), NetworkOptions(rank=8), 1, BOTH)
    one_part = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 1, ("denoiser",))
    for other in (other_rank, one_part):
        with pytest.raises(WizardError, match="not for this network"):
            network.load_state_dict(other.state_dict())
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_a_base_without_target_layers_is_refused(
    family: StableDiffusion1, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family, "lora_targets", lambda: {"denoiser": []})
    with pytest.raises(WizardError, match="no layer"):
        registry.attach(family, NetworkOptions(), 1, ("denoiser",))


def test_fewer_layers_than_asked_for_are_noticed(
    family: StableDiffusion1, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [*family.lora_targets()["denoiser"], "down_blocks.9.absent"]
    monkeypatch.setattr(family, "lora_targets", lambda: {"denoiser": names})
    with pytest.raises(WizardError, match="other layers"):
        registry.attach(family, NetworkOptions(), 1, ("denoiser",))


@pytest.mark.parametrize("clip_skip", [1, 2])
def test_checkpointing_gives_the_same_gradients(tiny_sd: Path, clip_skip: int) -> None:
    gradients: list[list[torch.Tensor | None]] = []
    for checkpointing in (False, True):
        family = load(tiny_sd, clip_skip=clip_skip)
        network = registry.attach(family, NetworkOptions(rank=4), 42, BOTH)
        stir(network)
        if checkpointing:
            family.enable_gradient_checkpointing()
            layers = family.text_encoder.encoder.layers
            assert all(layer.gradient_checkpointing and layer.training for layer in layers)
        predict(family).square().mean().backward()
        weights = [weight for part in BOTH for weight in network.parameters_of(part)]
        gradients.append([weight.grad for weight in weights])
    plain, checkpointed = gradients
    for one, other in zip(plain, checkpointed, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            torch.testing.assert_close(one, other)


def test_an_unknown_type_is_answered_with_the_known_ones(family: StableDiffusion1) -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry.attach(family, NetworkOptions(type="lorra"), 1, BOTH)
    assert 'Did you mean "lora"?' in caught.value.remedy
