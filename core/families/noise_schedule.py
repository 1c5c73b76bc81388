"""The noise schedule of the Stable Diffusion line: how much of a picture each timestep keeps, and
what follows from that. ``abar`` is the share of the picture's variance that is kept; the
signal-to-noise ratio is abar / (1 - abar)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from diffusers import DDPMScheduler

from .base import WHOLE_WAY
from .prediction import PREDICTIONS

if TYPE_CHECKING:
    from ..config import LossOptions

_MOST_SNR = 1000.0
"""Where debiased estimation and the weights that turn v into epsilon stop to grow, as in
sd-scripts."""
_LEAST_SNR = 2.0**-24
"""In place of zero; what diffusers' samplers put there too."""


class NoiseSchedule:
    """Of one base. ``prediction`` is ``epsilon`` or ``v``, ``abar`` (T,) fp32 on ``device``."""

    def __init__(self, scheduler_config: Mapping[str, Any], device: torch.device) -> None:
        """``scheduler_config`` as `prediction.scheduler_config` settles it. With
        ``rescale_betas_zero_snr`` diffusers shifts and scales sqrt(abar) so that it ends at zero
        (arXiv 2305.08891, algorithm 1)."""
        scheduler: Any = DDPMScheduler.from_config(dict(scheduler_config))
        self.prediction = PREDICTIONS[scheduler.config["prediction_type"]]
        self.ends_in_noise = bool(scheduler.config["rescale_betas_zero_snr"])
        self.steps = int(scheduler.config["num_train_timesteps"])
        self.abar: torch.Tensor = scheduler.alphas_cumprod.to(device)

    def draw_timesteps(
        self, uniforms: torch.Tensor, span: tuple[float, float] = WHOLE_WAY
    ) -> torch.Tensor:
        """Whole numbers spread evenly over ``span``, whose end is not among them."""
        first, end = (round(share * self.steps) for share in span)
        drawn = first + (uniforms.double() * (end - first)).long()
        return drawn.clamp(max=max(first, end - 1))

    def add_noise(
        self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor:
        signal, deviation = self._roots(timesteps, latents)
        return signal * latents + deviation * noise

    def target(
        self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
    ) -> torch.Tensor:
        """The noise, or the velocity sqrt(abar) noise - sqrt(1 - abar) latents."""
        if self.prediction == "epsilon":
            return noise
        signal, deviation = self._roots(timesteps, latents)
        return signal * noise - deviation * latents

    def snr(self, timesteps: torch.Tensor) -> torch.Tensor:
        """(B,) fp64."""
        kept = self.abar[timesteps].double()
        return kept / (1 - kept)

    def weight(self, timesteps: torch.Tensor, options: LossOptions) -> torch.Tensor:
        """The product of all weights that ``options`` ask for, (B,) fp32; always finite.

        Min-SNR-gamma (arXiv 2303.09556): min(SNR, gamma) / SNR for epsilon, / (SNR + 1) for v.
        Debiased estimation (arXiv 2310.08442): 1 / sqrt(SNR) for epsilon, 1 / (SNR + 1) for v.
        sd-scripts' two: v as if it were epsilon, SNR / (SNR + 1), and epsilon with so much of v
        added, 1 + share (SNR + 1) / SNR.
        """
        snr = self.snr(timesteps).clamp(min=_LEAST_SNR)
        capped = snr.clamp(max=_MOST_SNR)
        is_v = self.prediction == "v"
        weight = torch.ones_like(snr)
        if options.min_snr_gamma is not None:
            weight = weight * snr.clamp(max=options.min_snr_gamma) / (snr + 1 if is_v else snr)
        if options.debiased:
            weight = weight * (1 / (capped + 1) if is_v else capped.rsqrt())
        if options.scale_v_like_epsilon and is_v:
            weight = weight * capped / (capped + 1)
        if options.v_like_loss and not is_v:
            weight = weight * (1 + options.v_like_loss * (capped + 1) / capped)
        return weight.float()

    def _roots(
        self, timesteps: torch.Tensor, like: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """sqrt(abar) and sqrt(1 - abar), to be multiplied with tensors like ``like``."""
        kept = self.abar[timesteps].to(like.dtype)
        kept = kept.view(-1, *[1] * (like.ndim - 1))
        return kept**0.5, (1 - kept) ** 0.5
