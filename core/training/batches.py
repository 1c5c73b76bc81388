"""A micro-batch, from its draws to its share of the window's loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..config import RunConfig
from ..config.sections.loss import TIMESTEPS
from ..dataset.captions import final_caption
from ..dataset.plan import Draw, MicroBatch, Window
from ..dataset.views import View, view_of
from ..families.base import Batch, ModelFamily
from . import draws as keyed
from .loss import huber_thresholds, prior_weights, sample_errors, share_of_window
from .noise import multires_noise, offset_noise, offset_strengths, perturbation_strengths

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
        self._seed = config.training.seed

    def expect(self, window: Window) -> None:
        """``window`` comes after the one that is trained now."""
        if self._pictures.expect:
            self._pictures.expect(
                [view_of(draw, self._config) for batch in window for draw in batch]
            )

    def loss(self, micro_batch: MicroBatch, window_samples: int) -> torch.Tensor:
        """What ``micro_batch`` adds to the loss of a window of ``window_samples`` samples, as a
        scalar with gradients."""
        options = self._config.loss
        batch = self._batch(micro_batch)
        noise = self._noise(micro_batch, batch.latents)
        timesteps = self._timesteps(micro_batch)
        weights = self._family.loss_weight(timesteps, options)
        prior = prior_weights(micro_batch, options.prior_loss_weight)
        weights = weights * self._on_device(prior).to(weights)
        input_noise = self._input_noise(micro_batch, noise)
        prediction, target = self._family.predict(batch, noise, timesteps, input_noise)
        thresholds = huber_thresholds(self._family, timesteps, options)
        errors = sample_errors(prediction, target, options.type, thresholds, batch.mask)
        return share_of_window(errors, weights, window_samples)

    def _timesteps(self, draws: Sequence[Draw]) -> torch.Tensor:
        options = self._config.loss
        span = options.min_timestep / TIMESTEPS, options.max_timestep / TIMESTEPS
        numbers = keyed.uniforms(draws, self._seed, keyed.TIMESTEP)
        return self._on_device(self._family.draw_timesteps(numbers, span))

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
        options = self._config.loss
        noise = keyed.normal(draws, self._seed, keyed.NOISE, self._latent_shape(draws))
        if layers := options.multires_iterations:
            noise = multires_noise(noise, draws, self._seed, layers, options.multires_discount)
        noise = self._on_device(noise)
        if not options.noise_offset and not options.adaptive_noise_scale:
            return noise
        channels = latents.shape[1:2]
        shifts = self._on_device(keyed.normal(draws, self._seed, keyed.NOISE_OFFSET, channels))
        offsets = self._on_device(offset_strengths(draws, self._seed, options))
        return offset_noise(noise, latents, shifts, offsets, options.adaptive_noise_scale)

    def _input_noise(self, draws: Sequence[Draw], noise: torch.Tensor) -> torch.Tensor | None:
        """What the model sees instead of ``noise``, if that is something else."""
        if not self._config.loss.input_perturbation:
            return None
        strengths = perturbation_strengths(draws, self._seed, self._config.loss)
        more = self._normal(draws, keyed.PERTURBATION)
        return noise + self._on_device(strengths)[:, None, None, None] * more

    def _normal(self, draws: Sequence[Draw], purpose: str) -> torch.Tensor:
        shape = self._latent_shape(draws)
        return self._on_device(keyed.normal(draws, self._seed, purpose, shape))

    def _latent_shape(self, draws: Sequence[Draw]) -> tuple[int, int, int]:
        bucket = draws[0].sample.bucket
        return self._family.latent_shape(bucket.width, bucket.height)

    def _on_device(self, tensor: torch.Tensor) -> torch.Tensor:
        # A blocking copy would wait for all that the GPU still has to do.
        return tensor.to(self._device, non_blocking=True)


def geometry_of(view: View) -> tuple[int, ...]:
    """(original width, height, crop left, top, target width, height) in pixels."""
    sample, bucket = view.sample, view.sample.bucket
    return sample.width, sample.height, view.left, view.crop.top, bucket.width, bucket.height
