"""Masks as the loss needs them: how much of each cell of the latents counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

from ..dataset.masks import load_mask, show_mask
from ..dataset.views import View
from ..families.base import ModelFamily
from .cache import Progress
from .store import TensorStore, content_key

if TYPE_CHECKING:
    from ..dataset.plan import Sample
    from .pictures import Decoder

_LAYOUT = 1
_CELLS = "cells"


class Masks:
    """The masks of a run's pictures, reduced once for all runs."""

    def __init__(self, store: TensorStore, family: ModelFamily, decoder: Decoder) -> None:
        self._store, self._family, self._decoder = store, family, decoder

    def fill(self, views: Iterable[View], progress: Progress) -> None:
        """Reduce the masks that are not there yet. Raises WizardError when one cannot be read or
        was changed since the run began."""
        for done, view in enumerate(views, start=1):
            self._cells(view)
            progress(done)

    def gather(self, views: Sequence[View]) -> torch.Tensor:
        """(B, 1, h, w) fp32 on the CPU, from 0 to 1; all 1 for pictures without a mask."""
        return torch.stack([self._of(view) for view in views])

    def _of(self, view: View) -> torch.Tensor:
        if view.sample.mask is None:
            return torch.ones(1, *self._shape(view.sample))
        cells = self._cells(view)
        # The mean of a mirrored cell is that of the cell: both are sums of whole numbers.
        return cells.flip(-1) if view.is_flipped else cells

    def _cells(self, view: View) -> torch.Tensor:
        """Of the view before it is mirrored."""
        if view.crop != view.sample.crop:
            # A random crop is hardly ever seen twice.
            return self._reduced(view)
        key = self._key(view)
        entry = self._store.get(key)
        if entry is None:
            entry = {_CELLS: self._reduced(view)}
            self._store.put(key, entry)
        return entry[_CELLS]

    def _reduced(self, view: View) -> torch.Tensor:
        sample, mask = view.sample, view.sample.mask
        assert mask is not None
        whole = load_mask(mask.path, is_alpha=mask.path == sample.path)
        self._decoder.check(mask.path)
        cut = show_mask(whole, View(sample, view.crop))
        height, width = self._shape(sample)
        levels = torch.frombuffer(bytearray(cut.tobytes()), dtype=torch.uint8).float()
        tall, wide = cut.height // height, cut.width // width
        return levels.view(height, tall, width, wide).mean(dim=(1, 3))[None] / 255

    def _shape(self, sample: Sample) -> tuple[int, int]:
        bucket = sample.bucket
        return self._family.latent_shape(bucket.width, bucket.height)[1:]

    def _key(self, view: View) -> str:
        sample, mask = view.sample, view.sample.mask
        assert mask is not None
        return content_key(
            layout=_LAYOUT,
            kind="mask",
            pillow=version("pillow"),
            mask=self._decoder.hashes[mask.path],
            alpha=mask.path == sample.path,
            bucket=asdict(sample.bucket),
            crop=asdict(view.crop),
            cells=self._shape(sample),
        )
