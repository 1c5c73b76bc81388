"""Lion's step (arXiv 2302.06675)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Every number moves by the learning rate, up or down: only the sign of a mix of the gradient
    and its running mean counts."""

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float],
        weight_decay: float,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all weights that have a gradient."""
        for group in self.param_groups:
            trained = [weight for weight in group["params"] if weight.grad is not None]
            if not trained:
                continue
            for weight in trained:
                if not self.state[weight]:
                    self.state[weight]["exp_avg"] = torch.zeros_like(weight)
            means = [self.state[weight]["exp_avg"] for weight in trained]
            gradients = [weight.grad for weight in trained]
            of_step, of_mean = group["betas"]
            directions = torch._foreach_lerp(means, gradients, 1 - of_step)
            torch._foreach_sign_(directions)
            torch._foreach_mul_(trained, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(trained, directions, alpha=-group["lr"])
            torch._foreach_lerp_(means, gradients, 1 - of_mean)
