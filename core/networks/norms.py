"""How long a LoRA's weights are, and how they are kept short.

A layer's length is the Frobenius norm of what it adds to the base's weight, scale * up @ down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .base import NormFigures


@dataclass(frozen=True)
class Product:
    """scale * up @ down: down (r, inputs ...), up (outputs, r ...)."""

    down: torch.nn.Parameter
    up: torch.nn.Parameter
    scale: float


@torch.no_grad()
def shorten(products: Sequence[Product], most: float) -> NormFigures:
    """Scale back, in place, each of ``products`` that is longer than ``most``: up and down by the
    same factor. Where nothing is too long, no weight changes by a bit."""
    groups: dict[tuple[torch.Size, torch.Size], list[Product]] = {}
    for product in products:
        groups.setdefault((product.down.shape, product.up.shape), []).append(product)
    lengths = torch.cat([_lengths(group) for group in groups.values()])
    wanted = lengths.clamp(max=most)
    factors = torch.where(lengths > most, (wanted / lengths).sqrt(), 1.0).float()
    ordered = [product for group in groups.values() for product in group]
    for product, factor in zip(ordered, factors.unbind(), strict=True):
        product.down.mul_(factor)
        product.up.mul_(factor)
    figures = torch.stack([(lengths > most).sum().to(lengths), wanted.mean(), wanted.max()])
    scaled, mean, highest = figures.tolist()
    return NormFigures(int(scaled), mean, highest)


def _lengths(group: Sequence[Product]) -> torch.Tensor:
    """(n,) fp64, of products of the same shapes. ||U D||^2 = sum(U'U * DD'): matrices of the rank's
    size instead of the base's."""
    down = torch.stack([product.down for product in group]).flatten(2).double()
    up = torch.stack([product.up for product in group]).flatten(2).double()
    squares = (up.mT @ up * (down @ down.mT)).sum(dim=(1, 2)).clamp(min=0)
    scales = torch.tensor([abs(product.scale) for product in group], dtype=torch.float64)
    return squares.sqrt() * scales.to(squares.device)
