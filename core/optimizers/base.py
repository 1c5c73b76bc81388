"""What an optimizer is to the rest: a name, a word of help, and a way to build it.

An optimizer is one file of this folder with a ``SPEC``, free of torch until it is built; or an
entry point of the group ``lora_wizard.optimizers`` that names an ``OptimizerSpec``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


@dataclass(frozen=True)
class ParameterGroup:
    """The trained weights of one part of the model, and their learning rate before any schedule."""

    part: str
    parameters: Sequence[torch.nn.Parameter]
    rate: float


@dataclass(frozen=True)
class OptimizerSpec:
    """One optimizer, as the TOML names it."""

    name: str
    title: str
    help: str
    build: Callable[[Sequence[ParameterGroup], OptimizerOptions], torch.optim.Optimizer]
    """Keeps the groups' order, one group of the optimizer for each."""
