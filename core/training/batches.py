"""A micro-batch, from its draws to its share of the window's loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..config import RunConfig
from ..dataset.captions import final_caption
from ..dataset.plan import Draw, MicroBatch, Window
from ..dataset.views import View, view_of
from ..families.base import Batch, ModelFamily
from . import draws as keyed
from .loss import prior_weights, sample_errors, share_of_window
from .noise import offset_noise

if TYPE_CHECKING:
    from ..families.base import Conditioning

Encoded = Callable[[Sequence[View]], torch.Tensor]
CellMasks = Callable[[Sequence[View]], torch.Tensor]


@dataclass(frozen=True)
class Pictures:
    """Where a run's pictures come from."""

    encoded: Encoded
    """As `ModelFamily.encode_images` gives them: from a cache, or made on the spot."""
    masks: CellMasks | None = None
    """What counts of each cell, where pictures have masks."""
    expect: Callable[[Sequence[View]], None] | None = None
    """To be told what will be asked for next, where that helps."""


Prompts = Callable[[Sequence[str]], "Conditioning"]


class Batches:
    """Turns draws into a loss; holds nothing that changes from step to step."""

    def __init__(
        self,
        config: RunConfig,
        family: ModelFamily,
        pictures: Pictures,
        conditioning: Prompts,
        device: torch.device,
    ) -> None:
        """``conditioning`` gives captions as `ModelFamily.encode_prompts` does: from a cache, or
        made on the spot."""
        self._config, self._family, self._device = config, family, device
        self._pictures, self._conditioning = pictures, conditioning

    def expect(self, window: Window) -> None:
        """``window`` comes after the one that is trained now."""
        if self._pictures.expect:
            self._pictures.expect(
                [view_of(draw, self._config) for batch in window for draw in batch]
            )

    def loss(self, micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
        """What ``micro_batch`` adds to the loss of a window of ``window_samples`` samples, as a
        scalar with gradients."""
        batch = self._batch(micro_batch)
        noise = self._noise(micro_batch, batch.latents)
        timesteps = self._family.draw_timesteps(
            keyed.uniforms(micro_batch, self._config.training.seed, keyed.TIMESTEP)
        )
        timesteps = self._on_device(timesteps)
        weights = self._family.loss_weight(timesteps, self._config.loss)
        prior = prior_weights(micro_batch, self._config.loss.prior_loss_weight)
        weights = weights * self._on_device(prior).to(weights)
        prediction, target = self._family.predict(batch, noise, timesteps)
        return share_of_window(
            sample_errors(prediction, target, mask=batch.mask), weights, window_samples
        )

    def _batch(self, draws: Sequence[Draw]) -> Batch:
        views = [view_of(draw, self._config) for draw in draws]
        encoded = self._on_device(self._pictures.encoded(views))
        latents = self._family.draw_latents(encoded, self._normal(draws, keyed.VAE_NOISE))
        captions = [final_caption(draw, self._config) for draw in draws]
        conditioning = {
            name: self._on_device(tensor) for name, tensor in self._conditioning(captions).items()
        }
        geometry = torch.tensor([geometry_of(view) for view in views], dtype=torch.float32)
        masks = self._pictures.masks
        mask = self._on_device(masks(views)) if masks else None
        return Batch(latents, conditioning, self._on_device(geometry), mask)

    def _noise(self, draws: Sequence[Draw], latents: torch.Tensor) -> torch.Tensor:
        noise = self._normal(draws, keyed.NOISE)
        options = self._config.loss
        if not options.noise_offset and not options.adaptive_noise_scale:
            return noise
        seed, channels = self._config.training.seed, latents.shape[1:2]
        shifts = self._on_device(keyed.normal(draws, seed, keyed.NOISE_OFFSET, channels))
        return offset_noise(
            noise, latents, shifts, options.noise_offset, options.adaptive_noise_scale
        )

    def _normal(self, draws: Sequence[Draw], purpose: str) -> torch.Tensor:
        bucket = draws[0].sample.bucket
        shape = self._family.latent_shape(bucket.width, bucket.height)
        return self._on_device(keyed.normal(draws, self._config.training.seed, purpose, shape))

    def _on_device(self, tensor: torch.Tensor) -> torch.Tensor:
        # A blocking copy would wait for all that the GPU still has to do.
        return tensor.to(self._device, non_blocking=True)


def geometry_of(view: View) -> tuple[int, ...]:
    """(original width, height, crop left, top, target width, height) in pixels."""
    sample, bucket = view.sample, view.sample.bucket
    return sample.width, sample.height, view.left, view.crop.top, bucket.width, bucket.height
