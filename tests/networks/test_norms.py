"""Max-norm: layers that are too long are scaled back, and only those."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import NetworkOptions
from lora_wizard.core.networks import registry
from tiny_sd import load, stir
from training_runs import draw_pictures, events, sd_config, start

PARTS = ("denoiser", "text_encoder")


def composed(down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """What a layer adds to the base's weight, summed rank by rank."""
    return torch.stack(
        [torch.tensordot(up[:, rank].flatten(), down[rank], dims=0) for rank in range(len(down))]
    ).sum(0)


def lengths(tensors: dict[str, torch.Tensor]) -> dict[str, float]:
    stems = {name.removesuffix(".alpha") for name in tensors if name.endswith(".alpha")}
    found: dict[str, float] = {}
    for stem in stems:
        down, up = (tensors[f"{stem}.lora_{end}.weight"].double() for end in ("down", "up"))
        scale = float(tensors[f"{stem}.alpha"]) / len(down)
        found[stem] = float((scale * composed(down, up)).square().sum().sqrt())
    return found


def test_layers_are_scaled_back_to_the_norm(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    options = NetworkOptions(rank=4, alpha=3.0, conv_rank=2)
    network = registry.attach(family, options, 42, PARTS)
    stir(network)
    before = network.file_tensors()
    norms = lengths(before)
    most = sorted(norms.values())[len(norms) // 2]
    figures = network.limit_norms(most)
    after = network.file_tensors()
    long = {stem for stem, norm in norms.items() if norm > most}
    assert figures.scaled == len(long) > 10
    expected = [min(norm, most) for norm in norms.values()]
    assert figures.mean == pytest.approx(sum(expected) / len(expected), rel=1e-6)
    assert figures.highest == pytest.approx(most, rel=1e-6)
    for stem, norm in norms.items():
        for end in ("down", "up"):
            name = f"{stem}.lora_{end}.weight"
            if stem in long:
                expected_weight = before[name] * (most / norm) ** 0.5
                torch.testing.assert_close(after[name], expected_weight, rtol=1e-5, atol=1e-8)
            else:
                assert torch.equal(after[name], before[name])


def test_a_new_network_has_no_length(tiny_sd: Path) -> None:
    network = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 42, PARTS)
    before = network.state_dict()
    figures = network.limit_norms(1e-6)
    assert (figures.scaled, figures.mean, figures.highest) == (0, 0.0, 0.0)
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_a_run_keeps_to_it_and_tells(tiny_sd: Path, tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures", 4)
    figures: list[list[dict[str, Any]]] = []
    for limit in (None, 0.05):
        config = sd_config(
            tiny_sd,
            pictures,
            tmp_path,
            network={"rank": 4, "max_norm": limit},
            training={"epochs": 2, "batch_size": 1},
            samples={"prompts": []},
        )
        figures.append(events(start(config), "step"))
    free, kept = figures
    assert not any("mean_norm" in event for event in free)
    assert kept[0]["mean_norm"] < kept[-1]["mean_norm"] <= 0.05
    assert kept[-1]["scaled_layers"] > 0
