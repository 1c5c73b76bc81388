"""Losses that forgive, against a plain loop over sd-scripts' formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import LossOptions
from lora_wizard.core.config.sections.loss import LossType
from lora_wizard.core.families.noise_schedule import NoiseSchedule
from lora_wizard.core.training.loss import huber_thresholds, sample_errors

SD: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def by_hand(kind: LossType, difference: float, c: float) -> float:
    root = math.sqrt(difference**2 + c**2) - c
    return {
        "l2": difference**2,
        "l1": abs(difference),
        "huber": 2 * c * root,
        "smooth_l1": 2 * root,
    }[kind]


@pytest.mark.parametrize("kind", ["l2", "l1", "huber", "smooth_l1"])
def test_every_sample_is_judged_with_its_own_threshold(kind: LossType) -> None:
    generator = torch.Generator().manual_seed(3)
    prediction = torch.randn(3, 2, 4, 5, generator=generator)
    target = torch.randn(prediction.shape, generator=generator)
    thresholds = torch.tensor([0.01, 0.3, 1.0])
    found = sample_errors(prediction, target, kind, thresholds)
    for index, c in enumerate(thresholds.tolist()):
        differences = (prediction[index] - target[index]).flatten().tolist()
        expected = sum(by_hand(kind, d, c) for d in differences) / len(differences)
        assert found[index].item() == pytest.approx(expected, rel=1e-5)


@given(st.floats(-50, 50, allow_nan=False), st.floats(0.001, 1))
def test_huber_is_a_square_near_zero_and_a_line_far_away(difference: float, c: float) -> None:
    pair = torch.tensor([[difference]]), torch.zeros(1, 1)
    square = sample_errors(*pair).item()
    huber = sample_errors(*pair, "huber", torch.tensor([c])).item()
    line = 2 * c * abs(difference)
    assert huber <= square * (1 + 1e-5) + 1e-12
    assert huber <= line * (1 + 1e-5) + 1e-12
    if abs(difference) < c / 100:
        assert huber == pytest.approx(square, rel=1e-3, abs=1e-12)


def test_a_perfect_prediction_has_a_gradient() -> None:
    for kind in ("huber", "smooth_l1"):
        prediction = torch.zeros(1, 4, requires_grad=True)
        sample_errors(prediction, torch.zeros(1, 4), kind, torch.tensor([0.1])).sum().backward()
        assert prediction.grad is not None and prediction.grad.tolist() == [[0.0] * 4]


@dataclass
class Noised:
    """A family's noise, which is all that a threshold looks at."""

    schedule: NoiseSchedule

    def way(self, timesteps: torch.Tensor) -> torch.Tensor:
        return timesteps.double() / 1000

    def snr(self, timesteps: torch.Tensor) -> torch.Tensor:
        return self.schedule.snr(timesteps)


def thresholds(timesteps: torch.Tensor, *, zero: bool = False, **options: Any) -> list[float]:
    config = {**SD, "rescale_betas_zero_snr": zero}
    family: Any = Noised(NoiseSchedule(config, torch.device("cpu")))
    found = huber_thresholds(family, timesteps, LossOptions(type="huber", **options))
    assert found is not None
    return found.tolist()


def test_thresholds_follow_sd_scripts_schedules() -> None:
    steps = torch.tensor([0, 10, 500, 999])
    assert thresholds(steps, huber_schedule="constant", huber_c=0.2) == pytest.approx([0.2] * 4)
    alpha = -math.log(0.1) / 1000
    expected = [math.exp(-alpha * step) for step in steps.tolist()]
    assert thresholds(steps, huber_schedule="exponential") == pytest.approx(expected)
    low, high = math.sqrt(0.00085), math.sqrt(0.012)
    kept = [
        math.prod(1 - (low + (high - low) * i / 999) ** 2 for i in range(step + 1))
        for step in steps.tolist()
    ]
    sigmas = [math.sqrt((1 - share) / share) for share in kept]
    expected = [0.9 / (1 + sigma) ** 2 + 0.1 for sigma in sigmas]
    assert thresholds(steps) == pytest.approx(expected, rel=1e-4)


def test_the_scale_multiplies_as_in_sd_scripts() -> None:
    steps = torch.tensor([0, 10, 500, 999])
    told: dict[str, Any] = {"huber_c": 0.2, "huber_scale": 3.0}
    assert thresholds(steps, huber_schedule="constant", **told) == pytest.approx([0.6] * 4)
    alpha = -math.log(0.2) / 1000
    expected = [3 * math.exp(-alpha * step) for step in steps.tolist()]
    assert thresholds(steps, huber_schedule="exponential", **told) == pytest.approx(expected)
    assert thresholds(steps, **told) == thresholds(steps, huber_c=0.2), "snr is not scaled"


def test_noise_alone_has_the_lowest_threshold() -> None:
    assert thresholds(torch.tensor([999]), zero=True) == pytest.approx([0.1])


@pytest.mark.parametrize("kind", ["l2", "l1"])
def test_other_losses_have_no_threshold(kind: LossType) -> None:
    family: Any = None
    assert huber_thresholds(family, torch.tensor([1]), LossOptions(type=kind)) is None
