"""Adafactor: remembers rows and columns instead of every number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..config.options import Section, option
from ..config.rules.base import Finding, error
from .base import OptimizerSpec, ParameterGroup
from .settings import as_groups, chosen

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


class AdafactorArguments(Section):
    """What only Adafactor has; its defaults are S4's."""

    scale_parameter: bool = option(
        False, help="Steps as large as the weights they change.", source="S4"
    )
    relative_step: bool = option(
        False,
        help="It makes its own learning rate and schedule: leave learning_rate out.",
        source="S4",
    )
    warmup_init: bool = option(
        False, help="With relative_step: a rate that rises slowly from 1e-6.", source="S4"
    )
    clip_threshold: float = option(
        1.0, help="Updates larger than this, as root mean square, are shortened.", gt=0, le=1e6
    )
    decay_rate: float = option(
        -0.8, help="How fast it learns to forget: the exponent of the step.", ge=-2, lt=0
    )
    beta1: float | None = option(
        None, help="Remember gradients too, at the memory of one more number each.", ge=0, lt=1
    )


def build(groups: Sequence[ParameterGroup], options: OptimizerOptions) -> torch.optim.Optimizer:
    """transformers' own (arXiv 1804.04235)."""
    from transformers.optimization import Adafactor

    arguments = chosen(AdafactorArguments, options)
    made = as_groups(groups)
    if arguments.relative_step:
        for group in made:
            group["lr"] = None
    return Adafactor(
        made,
        lr=options.learning_rate,
        weight_decay=options.weight_decay or 0.0,
        **arguments.model_dump(),
    )


def makes_own_rate(options: OptimizerOptions) -> bool:
    """With ``relative_step``."""
    return chosen(AdafactorArguments, options).relative_step


def step_size(optimizer: torch.optim.Optimizer) -> float | None:
    """The mean over all matrices of the rate of the last step; None where it is the given one."""
    import torch

    first = optimizer.param_groups[0]
    if not (first["relative_step"] or first["scale_parameter"]):
        return None

    rates = [
        torch.as_tensor(optimizer._get_lr(group, optimizer.state[weight]), dtype=torch.float32)  # type: ignore[attr-defined]
        for group in optimizer.param_groups
        for weight in group["params"]
        if optimizer.state.get(weight)
    ]
    devices = {rate.device for rate in rates} - {torch.device("cpu")}
    device = next(iter(devices), torch.device("cpu"))
    return torch.stack([rate.to(device) for rate in rates]).mean().item() if rates else None


def check(options: OptimizerOptions) -> Iterator[Finding]:
    arguments = chosen(AdafactorArguments, options)
    if arguments.warmup_init and not arguments.relative_step:
        yield error(
            "warmup_init belongs to relative_step, which is off",
            "optimizer.arguments.warmup_init",
            "optimizer.arguments",
            remedy="Set relative_step = true as well, or leave it out; optimizer.warmup is the "
            "warmup of a rate of your own.",
        )


SPEC = OptimizerSpec(
    name="adafactor",
    title="Adafactor",
    help="Nearly no memory of its own; rates are AdamW's.",
    build=build,
    usual={"learning_rate": 1e-4, "weight_decay": 0.0},
    arguments=AdafactorArguments,
    makes_own_rate=makes_own_rate,
    step_size=step_size,
    check=check,
    # A row's and a column's mean; at rank 4 and more at most this.
    state_bytes=1.1,
)
