"""Pictures that are there twice: as the same file, as the same pixels, or nearly so."""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..dataset.folders import open_regular
from ..dataset.images import Picture
from ..dataset.picture_file import PictureError
from ..dataset.pixels import load_picture
from .measure import Measures
from .pattern import alike

_BLOCK = 1 << 20
_MAYBE_SAME = 2
"""Bits in which the patterns of one picture may differ that was saved in two formats."""


@dataclass(frozen=True)
class Copies:
    """Of each group the best picture and the others."""

    same: tuple[tuple[Picture, tuple[tuple[Picture, bool], ...]], ...]
    """With whether the file is the same, or only its pixels."""
    near: tuple[tuple[Picture, tuple[tuple[Picture, int], ...]], ...]
    """With the bits in which their patterns differ."""


def find_copies(pictures: Sequence[Picture], measures: Mapping[Path, Measures]) -> Copies:
    """Files are read only where another has the same size in bytes, pixels only where the patterns
    are the same. The best is the largest in pixels, then in bytes."""
    order = sorted(
        (item for item in pictures if item.path in measures),
        key=lambda item: (-item.width * item.height, -item.file_size, str(item.path)),
    )
    same: dict[Path, list[tuple[Picture, bool]]] = defaultdict(list)
    left: list[Picture] = []
    firsts: dict[str, Picture] = {}
    sizes: dict[int, int] = defaultdict(int)
    for item in order:
        sizes[item.file_size] += 1
    for item in order:
        digest = _file_digest(item.path) if sizes[item.file_size] > 1 else ""
        if digest and digest in firsts:
            same[firsts[digest].path].append((item, True))
            continue
        firsts[digest] = item
        left.append(item)
    near: list[tuple[Picture, tuple[tuple[Picture, int], ...]]] = []
    for first, others, distances in alike([measures[item.path].pattern for item in left]):
        group = [(left[at], bits) for at, bits in zip(others, distances, strict=True)]
        rest = _without_same_pixels(left[first], group, same)
        if rest:
            near.append((left[first], tuple(rest)))
    by_path = {item.path: item for item in order}
    exact = tuple((by_path[path], tuple(others)) for path, others in sorted(same.items()))
    return Copies(exact, tuple(sorted(near, key=lambda group: str(group[0].path))))


def _without_same_pixels(
    first: Picture,
    group: Sequence[tuple[Picture, int]],
    same: dict[Path, list[tuple[Picture, bool]]],
) -> list[tuple[Picture, int]]:
    """``group`` but for those of the very pixels of ``first``, which go to ``same``."""
    rest: list[tuple[Picture, int]] = []
    own = ""
    for item, bits in group:
        is_alike = bits <= _MAYBE_SAME and (item.width, item.height) == (first.width, first.height)
        if is_alike:
            own = own or _pixel_digest(first.path)
            if own and own == _pixel_digest(item.path):
                same[first.path].append((item, False))
                continue
        rest.append((item, bits))
    return rest


def _file_digest(path: Path) -> str:
    """Empty for a file that cannot be read any more."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_regular(path) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()


def _pixel_digest(path: Path) -> str:
    with contextlib.suppress(PictureError):
        return hashlib.blake2b(load_picture(path).tobytes(), digest_size=16).hexdigest()
    return ""
