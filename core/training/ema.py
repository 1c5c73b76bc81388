"""A moving average of the network's weights: what is saved and drawn with `training.ema_decay`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch

from ..networks.base import Network


def decay_at(most: float, step: int) -> float:
    """How much of the average is kept at ``step``, from 1.

    Less at first, as diffusers' EMAModel has it: a LoRA begins at nothing, and a run of hundreds of
    steps would never get over that.
    """
    return min(most, step / (9 + step)) if step > 1 else 0.0


class MovingAverage:
    """The exponential moving average of a network's weights, fp32, beside them on their device."""

    def __init__(self, network: Network, decay: float) -> None:
        self._network, self._decay = network, decay
        self._weights = [weight for part in network.parts for weight in network.parameters_of(part)]
        self._averages = [weight.detach().clone() for weight in self._weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights as they are after ``step``."""
        weights = [weight.detach() for weight in self._weights]
        torch._foreach_lerp_(self._averages, weights, 1 - decay_at(self._decay, step))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """With the averages in the network, and its own weights back behind it, to the bit."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The averages as `Network.state_dict` gives weights."""
        with self.applied():
            return self._network.state_dict()

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take what `state_dict` gave. Raises WizardError when names or shapes are others."""
        with self.applied():
            self._network.load_state_dict(state)

    @torch.no_grad()
    def _exchange(self) -> None:
        # One by one: all at once would need the memory of a third copy.
        for weight, average in zip(self._weights, self._averages, strict=True):
            kept = weight.detach().clone()
            weight.copy_(average)
            average.copy_(kept)
