"""What an optimizer is to the rest: a name, a word of help, what it takes, and a way to build it.

An optimizer is one file of this folder with a ``SPEC``, free of torch until it is built; or an
entry point of the group ``lora_wizard.optimizers`` that names an ``OptimizerSpec``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config.options import Section

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions
    from ..config.rules.base import Finding

ADAM_VALUES: Mapping[str, Any] = {
    "learning_rate": 1e-4,
    "weight_decay": 0.01,
    "betas": [0.9, 0.999],
    "epsilon": 1e-8,
}


@dataclass(frozen=True)
class ParameterGroup:
    """Trained weights that share a learning rate: all of one part of the model, or with LoRA+ its
    down or its up matrices."""

    name: str
    parameters: Sequence[torch.nn.Parameter]
    rate: float
    """Before any schedule."""


@dataclass(frozen=True)
class Package:
    """A distribution that an optimizer comes from."""

    module: str
    """As it is imported."""
    install: str
    """The command."""


class NoArguments(Section):
    """An optimizer without options of its own."""


@dataclass(frozen=True)
class OptimizerSpec:
    """One optimizer, as the TOML names it."""

    name: str
    title: str
    help: str
    build: Callable[[Sequence[ParameterGroup], OptimizerOptions], torch.optim.Optimizer]
    """Keeps the groups' order, one group of the optimizer for each. The options are `settled`."""
    usual: Mapping[str, Any] = field(default_factory=lambda: ADAM_VALUES)
    """The options of `[optimizer]` that it takes of ``learning_rate``, ``weight_decay``, ``betas``
    and ``epsilon``, with what they are where the TOML does not say."""
    arguments: type[Section] = NoArguments
    """Its own options, `optimizer.arguments`, each an `option` with a default."""
    sensible_rates: tuple[float, float] = (1e-7, 1e-2)
    """Rates at either end, or beyond, are warned of."""
    one_rate: bool = False
    """It has one step size for all weights: parts cannot have rates of their own."""
    makes_own_rate: Callable[[OptimizerOptions], bool] = lambda options: False
    """Whether with these options it takes no learning rate, and no schedule, from outside."""
    step_size: Callable[[torch.optim.Optimizer], float | None] | None = None
    """After a step: the rate it really had, for optimizers that work it out themselves."""
    finished_weights: Callable[[torch.optim.Optimizer], AbstractContextManager[None]] | None = None
    """With the weights that are to be saved and drawn, where these are not the trained ones; behind
    it all is as before, to the bit."""
    check: Callable[[OptimizerOptions], Iterable[Finding]] | None = None
    """What contradicts each other in its arguments; they are valid by themselves."""
    state_bytes: float = 8
    """What it remembers of each trained number, about."""
    package: Package | None = None
    """None: it comes with what lora-wizard needs anyway."""
