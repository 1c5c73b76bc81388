import math
from typing import Any

import pytest
import torch
from diffusers.optimization import get_scheduler
from lora_wizard.core.config import OptimizerOptions
from lora_wizard.core.training.rates import RateSchedule, base_rates

TOTAL = 57
THEIR_NAMES = {"constant": "constant_with_warmup"}


def diffusers_rates(options: OptimizerOptions, warmup: int) -> list[float]:
    """The rate of every step of a run, from diffusers' own scheduler."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=options.learning_rate or 0.0)
    scheduler = get_scheduler(
        THEIR_NAMES.get(options.scheduler, options.scheduler),
        optimizer,
        num_warmup_steps=warmup,
        num_training_steps=TOTAL,
        num_cycles=options.restarts,
        power=options.power,
    )
    rates: list[float] = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("warmup", [0, 1, 7, TOTAL - 1])
@pytest.mark.parametrize(
    "schedule",
    [
        {"scheduler": "constant"},
        {"scheduler": "linear"},
        {"scheduler": "cosine"},
        {"scheduler": "cosine_with_restarts", "restarts": 3},
        {"scheduler": "polynomial", "power": 2.5},
    ],
    ids=lambda schedule: schedule["scheduler"],
)
def test_whole_runs_have_diffusers_rates(schedule: dict[str, Any], warmup: int) -> None:
    options = OptimizerOptions(learning_rate=3e-3, **schedule)
    expected = diffusers_rates(options, warmup)
    rates = RateSchedule(options, {"denoiser": 3e-3}, TOTAL, warmup)
    assert [rates.at(step)["denoiser"] for step in range(TOTAL)] == pytest.approx(
        expected, rel=1e-12, abs=1e-18
    )


def test_off_inherit_and_a_number() -> None:
    parts = ("denoiser", "text_encoder", "text_encoder_2")
    options = OptimizerOptions(
        learning_rate=1e-3, unet_learning_rate="off", text_encoder_learning_rate="inherit"
    )
    assert base_rates(options, parts) == {"text_encoder": 1e-3, "text_encoder_2": 1e-3}
    options = OptimizerOptions(learning_rate=1e-3, text_encoder_learning_rate=5e-5)
    assert base_rates(options, parts[:2]) == {"denoiser": 1e-3, "text_encoder": 5e-5}


def test_all_parts_follow_one_schedule() -> None:
    options = OptimizerOptions(learning_rate=1e-3, scheduler="cosine")
    rates = RateSchedule(options, {"denoiser": 1e-3, "text_encoder": 1e-4}, 50, 0).at(25)
    assert rates["denoiser"] == pytest.approx(1e-3 * 0.5 * (1 + math.cos(math.pi / 2)))
    assert rates["text_encoder"] == pytest.approx(rates["denoiser"] / 10)


def test_a_run_that_is_all_warmup() -> None:
    for scheduler in ("constant", "linear", "cosine", "cosine_with_restarts", "polynomial"):
        options = OptimizerOptions(scheduler=scheduler)
        rates = RateSchedule(options, {"denoiser": 1.0}, 4, 4)
        assert [rates.factor(step) for step in range(4)] == [0, 0.25, 0.5, 0.75]
        assert math.isfinite(rates.factor(4))
