"""AdamW without a schedule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..config.rules.base import Finding, error, warning
from .base import OptimizerSpec, Package, ParameterGroup
from .settings import adam_values, as_groups

if TYPE_CHECKING:
    import torch

    from ..config import OptimizerOptions


def build(groups: Sequence[ParameterGroup], options: OptimizerOptions) -> torch.optim.Optimizer:
    """schedulefree's (arXiv 2405.15682)."""
    from schedulefree import AdamWScheduleFree  # type: ignore[import-not-found]

    optimizer = AdamWScheduleFree(as_groups(groups), **adam_values(options))
    optimizer.train()
    return optimizer


@contextlib.contextmanager
def finished_weights(optimizer: Any) -> Iterator[None]:
    """The average that it works out beside the weights it trains."""
    import torch

    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    trained = [weight.detach().clone() for weight in weights]
    optimizer.eval()
    try:
        yield
    finally:
        # Its own way back rounds, and a run would depend on when it was looked at.
        with torch.no_grad():
            for weight, before in zip(weights, trained, strict=True):
                weight.copy_(before)
        for group in optimizer.param_groups:
            group["train_mode"] = True


def check(options: OptimizerOptions) -> Iterator[Finding]:
    if options.betas and options.betas[0] == 0:
        yield error("must begin with more than 0 for this optimizer", "optimizer.betas")
    if options.scheduler != "constant":
        yield warning(
            "goes against what this optimizer is for",
            "optimizer.scheduler",
            "optimizer.name",
            remedy='It needs none: leave "constant".',
        )


SPEC = OptimizerSpec(
    name="adamw_schedulefree",
    title="Schedule-free AdamW",
    help="As good as AdamW with a schedule, wherever it is stopped; wants up to ten times its "
    "learning rate.",
    build=build,
    usual={"learning_rate": 3e-4, "weight_decay": 0.01, "betas": [0.9, 0.999], "epsilon": 1e-8},
    check=check,
    finished_weights=finished_weights,
    package=Package("schedulefree", "pip install schedulefree"),
)
