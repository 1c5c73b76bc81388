"""AdamW that remembers in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base import OptimizerSpec, Package, ParameterGroup
from .settings import adam_values, as_groups

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


def build(groups: Sequence[ParameterGroup], options: OptimizerOptions) -> torch.optim.Optimizer:
    """bitsandbytes' (arXiv 2110.02861). Matrices of fewer than 4096 numbers stay in 32 bits."""
    from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found]

    return AdamW8bit(as_groups(groups), **adam_values(options))


SPEC = OptimizerSpec(
    name="adamw8bit",
    title="AdamW 8-bit",
    help="AdamW at a quarter of its memory, which for a LoRA is little; rates are AdamW's.",
    build=build,
    # Two numbers of one byte, and a scale for every 256 of each.
    state_bytes=2.03,
    package=Package("bitsandbytes", "pip install bitsandbytes"),
)
