"""Lion: steps of one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base import OptimizerSpec, ParameterGroup
from .settings import adam_values, as_groups

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


def build(groups: Sequence[ParameterGroup], options: OptimizerOptions) -> torch.optim.Optimizer:
    """Our own (arXiv 2302.06675)."""
    from ..training.lion import Lion

    values = adam_values(options)
    del values["eps"]
    return Lion(as_groups(groups), **values)


SPEC = OptimizerSpec(
    name="lion",
    title="Lion",
    help="Half of AdamW's memory; wants a third to a tenth of its learning rate, and as many times "
    "its weight decay.",
    build=build,
    usual={"learning_rate": 3e-5, "weight_decay": 0.03, "betas": [0.9, 0.99]},
    sensible_rates=(1e-8, 1e-3),
    state_bytes=4,
)
