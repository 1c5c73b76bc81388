"""A picture's pattern: a few bytes that stay about the same when it is saved again, scaled,
brightened or cut a little, and differ from those of any other picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

_SIDE = 32
_WAVES = 12
"""Waves in each direction that count: 12 x 12 without the first, 143 bits."""
BITS = _WAVES * _WAVES - 1
ALIKE = 32
"""Bits that may differ. Measured: a twentieth cut off an edge changes up to 32 for nine pictures
of ten, JPEG at quality 30 up to 8; two that have nothing in common differ in about 71."""
_FLAT = 2.0
_TINT = 4
_TINT_TOLERANCE = 30.0
_WORDS = 3
"""Of 64 bits, that a pattern takes."""
_HAS_COUNT = hasattr(np, "bitwise_count")
"""Since numpy 2."""


@dataclass(frozen=True)
class Pattern:
    """The signs of a picture's lowest frequencies, and its colours in 4 x 4 fields."""

    bits: bytes
    """Empty for a picture that shows next to nothing: all such would be alike."""
    tint: bytes
    """RGB of each field: drawings of one shape in other colours are not the same."""


def pattern_of(picture: Image.Image) -> Pattern:
    """The pattern of an RGB picture."""
    tint = picture.resize((_TINT, _TINT), Image.Resampling.BOX).tobytes()
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    values = np.asarray(small, dtype=np.float32)
    if values.std() < _FLAT:
        return Pattern(b"", tint)
    waves = _cosines()
    spectrum = (waves @ values @ waves.T).ravel()[1:]
    return Pattern(np.packbits(spectrum > np.median(spectrum)).tobytes(), tint)


def alike(
    patterns: Sequence[Pattern], most: int = ALIKE
) -> Iterator[tuple[int, list[int], list[int]]]:
    """Of pictures in the order of preference: each that others are copies of, those others, and by
    how many bits they differ from it. No picture is named twice.

    All are compared with all, as words of 64 bits: a second for 10,000 pictures.
    """
    if not patterns:
        return
    columns, tints = _columns(patterns), _tints(patterns)
    free = np.array([bool(pattern.bits) for pattern in patterns])
    for first in range(len(patterns)):
        if not free[first]:
            continue
        differ = _ones([column[first + 1 :] ^ column[first] for column in columns])
        near = np.flatnonzero((differ <= most) & free[first + 1 :])
        shades = np.abs(tints[near + first + 1] - tints[first]).mean(axis=1)
        near = near[shades <= _TINT_TOLERANCE]
        if len(near):
            others = near + first + 1
            free[others] = False
            yield first, others.tolist(), differ[near].tolist()


def _columns(patterns: Sequence[Pattern]) -> list[np.ndarray]:
    """The patterns' bits as columns of words."""
    length = _WORDS * 8
    packed = b"".join(pattern.bits.ljust(length, b"\0") for pattern in patterns)
    words = np.frombuffer(packed, dtype=np.uint64 if _HAS_COUNT else np.uint16)
    return list(np.ascontiguousarray(words.reshape(len(patterns), -1).T))


def _tints(patterns: Sequence[Pattern]) -> np.ndarray:
    tints = np.frombuffer(b"".join(pattern.tint for pattern in patterns), dtype=np.uint8)
    return tints.reshape(len(patterns), -1).astype(np.float32)


def _ones(columns: Sequence[np.ndarray]) -> np.ndarray:
    """How many bits are set in each row; at most 192, so that bytes hold them."""
    if _HAS_COUNT:
        counted = [np.bitwise_count(column) for column in columns]
        return np.stack(counted).sum(axis=0, dtype=np.uint8)
    counts = _counts()
    return np.stack([counts[column] for column in columns]).sum(axis=0, dtype=np.uint8)


@cache
def _counts() -> np.ndarray:
    """Set bits of every 16-bit number."""
    numbers = np.arange(1 << 16, dtype=np.uint32)
    return np.sum([(numbers >> bit) & 1 for bit in range(16)], axis=0).astype(np.uint8)


@cache
def _cosines() -> np.ndarray:
    """(waves, side): a discrete cosine transform's first rows."""
    places = np.arange(_SIDE)
    waves = np.arange(_WAVES)[:, None]
    return np.cos(np.pi * (2 * places + 1) * waves / (2 * _SIDE)).astype(np.float32)
