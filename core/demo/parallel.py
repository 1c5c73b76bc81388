"""Gradients of one batch from several threads that take small shares of it as they get free.

Two threads inside every operation wait for each other all the time; on a machine that others use
too, half of the work is lost that way. Here a slow core simply takes fewer shares.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor


class Workers:
    """Threads that compute gradients, one core each."""

    def __init__(self, count: int) -> None:
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(count)

    def backward(self, parameters: Sequence[Tensor], losses: Sequence[Callable[[], Tensor]]):
        """Set the parameters' gradients to those of the mean of the losses; returns that mean.

        The sum is taken in the order of `losses`: the result does not depend on the threads.
        """

        def share(loss: Callable[[], Tensor]) -> tuple[float, Sequence[Tensor]]:
            value = loss()
            return value.item(), torch.autograd.grad(value, parameters)

        results = list(self._pool.map(share, losses))
        for rank, parameter in enumerate(parameters):
            parameter.grad = torch.stack([grads[rank] for _, grads in results]).mean(dim=0)
        return sum(value for value, _ in results) / len(results)
