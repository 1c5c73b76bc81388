"""Prodigy: AdamW that works out its learning rate itself."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..config.options import Section, option
from ..config.rules.base import Finding, note
from .base import OptimizerSpec, Package, ParameterGroup
from .settings import adam_values, as_groups, chosen

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


_NO_LIMIT = 1e9
"""Of the estimate's growth in a step; infinity has no form in a state's JSON."""


class ProdigyArguments(Section):
    """What only Prodigy has; its defaults are S4's."""

    d_coef: float = option(
        2.0,
        help="The way to make it bolder or more careful: its estimate of the rate times this; 0.5 "
        "to 2, and 1 is as published.",
        source="S4",
        gt=0,
        le=100,
    )
    decouple: bool = option(
        True, help="Weight decay as in AdamW, not mixed into the gradient.", source="S4"
    )
    use_bias_correction: bool = option(
        True, help="Adam's smaller steps at the beginning.", source="S4"
    )
    safeguard_warmup: bool = option(
        False, help="Keeps the estimate right while a warmup holds the rate down.", source="S4"
    )
    d0: float = option(1e-6, help="The estimate it begins with.", gt=0, le=1)
    growth_rate: float | None = option(
        None,
        help="The estimate grows by at most this factor a step: 1.02 is gentle.",
        absent="no limit",
        gt=1,
        le=_NO_LIMIT,
    )
    slice_p: int = option(
        1, help="Estimate from every nth number only: 11 saves nearly half its memory.", ge=1, le=64
    )


def build(groups: Sequence[ParameterGroup], options: OptimizerOptions) -> torch.optim.Optimizer:
    """prodigyopt's (arXiv 2306.06101)."""
    from prodigyopt import Prodigy  # type: ignore[import-not-found]

    arguments = chosen(ProdigyArguments, options).model_dump()
    arguments["growth_rate"] = arguments["growth_rate"] or _NO_LIMIT
    # It prints a line as it begins.
    with contextlib.redirect_stdout(io.StringIO()):
        return Prodigy(as_groups(groups), **adam_values(options), **arguments)


def step_size(optimizer: torch.optim.Optimizer) -> float:
    """The rate as AdamW would have it: the estimate times the learning rate."""
    group = optimizer.param_groups[0]
    return group["d"] * group["lr"]


def check(options: OptimizerOptions) -> Iterator[Finding]:
    if options.warmup and not chosen(ProdigyArguments, options).safeguard_warmup:
        yield note(
            "a warmup misleads Prodigy's estimate of the rate",
            "optimizer.warmup",
            "optimizer.arguments",
            remedy="Add safeguard_warmup = true to optimizer.arguments, or leave the warmup out.",
        )


SPEC = OptimizerSpec(
    name="prodigy",
    title="Prodigy",
    help="Works out its own rate: learning_rate stays 1.",
    build=build,
    usual={"learning_rate": 1.0, "weight_decay": 0.01, "betas": [0.9, 0.99], "epsilon": 1e-8},
    arguments=ProdigyArguments,
    sensible_rates=(0.1, 10),
    one_rate=True,
    step_size=step_size,
    check=check,
    # AdamW's two numbers, where the weight began, and its gradients' sum.
    state_bytes=16,
    package=Package("prodigyopt", "pip install prodigyopt"),
)
