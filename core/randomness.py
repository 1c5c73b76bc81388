"""Keyed random draws: every draw is a function of what it is for, none depends on the one before.

A stored generator state is wrong as soon as anything before it changes: a resume in mid-epoch, a
halved batch, one process more. A draw keyed by (seed, purpose, epoch, picture, repeat) is the same
number whenever and wherever it is made, so an interrupted run continues exactly, and `plan` can
show the very crops and captions of a step that training will reach tomorrow.

No torch here: `training.draws` turns the same keys into tensors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

KeyPart = int | str
_BITS = 64


def key(seed: int, purpose: str, *parts: KeyPart) -> int:
    """A 64-bit key for one draw.

    Every part is written with its type and length, so that ("ab", "c") and ("a", "bc") differ,
    and so do 1 and "1".
    """
    digest = hashlib.blake2b(digest_size=_BITS // 8)
    for part in (seed, purpose, *parts):
        text = f"{part:d}" if isinstance(part, int) else part
        data = text.encode("utf-8", "surrogatepass")
        kind = "i" if isinstance(part, int) else "s"
        digest.update(f"{kind}{len(data)}:".encode())
        digest.update(data)
    return int.from_bytes(digest.digest(), "little")


def uniform(draw: int) -> float:
    """A float in [0, 1) from a key: its upper 53 bits, all that a double can hold."""
    return (draw >> (_BITS - 53)) / (1 << 53)


def integer(draw: int, below: int) -> int:
    """An integer in [0, below) from a key; the bias is below ``below / 2**64``."""
    if below < 1:
        raise ValueError(f"an integer below {below} does not exist")
    return draw % below


def shuffled(items: Iterable[Item], seed: int, purpose: str, *parts: KeyPart) -> list[Item]:
    """``items`` in an order that depends on the key alone."""
    indexed = list(enumerate(items))
    indexed.sort(key=lambda pair: (key(seed, purpose, *parts, pair[0]), pair[0]))
    return [item for _, item in indexed]


def choice(items: Sequence[Item], draw: int) -> Item:
    """One of ``items``, each as likely as the others."""
    return items[integer(draw, len(items))]
