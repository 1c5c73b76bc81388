"""From a prediction to the number that is minimised."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..config import LossOptions
from ..config.sections.loss import LossType
from ..dataset.plan import Draw
from ..families.base import ModelFamily


def sample_errors(
    prediction: torch.Tensor,
    target: torch.Tensor,
    kind: LossType = "l2",
    thresholds: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """The mean error of each sample, (B,) fp32, from two (B, ...) of any precision.

    ``thresholds`` (B,) are those of Huber's losses, c, as sd-scripts has them: with the difference
    d, huber is 2 c (sqrt(d^2 + c^2) - c) and smooth_l1 the same without the first c; both are near
    d^2 (over c) where d is small. ``mask`` as in `mean_of_cells`.
    """
    difference = prediction.float() - target.float()
    if kind == "l1":
        error = difference.abs()
    elif thresholds is not None and kind != "l2":
        c = thresholds.to(difference).view(-1, *[1] * (difference.ndim - 1))
        # Without the difference of two nearly equal numbers, which small errors would drown in.
        error = 2 * difference.square() / ((difference.square() + c.square()).sqrt() + c)
        error = error * c if kind == "huber" else error
    else:
        error = difference.square()
    return mean_of_cells(error, mask)


def mean_of_cells(errors: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """The mean of each sample's errors (B, C, h, w), (B,). With ``mask`` (B, 1, h, w) from 0 to 1
    the mean over what counts, and 0 where nothing does.

    sd-scripts takes the mean over everything, so that a picture of which a tenth counts has a tenth
    of the others' weight, and the learning rate depends on the masks. Here each picture counts as
    much as any.
    """
    if mask is None:
        return errors.flatten(1).mean(dim=1)
    counted = mask.expand_as(errors).flatten(1)
    sums = (errors.flatten(1) * counted).sum(dim=1)
    return sums / counted.sum(dim=1).clamp(min=torch.finfo(sums.dtype).tiny)


def huber_thresholds(
    family: ModelFamily, timesteps: torch.Tensor, options: LossOptions
) -> torch.Tensor | None:
    """c of each sample, (B,), by sd-scripts' schedules; None for a loss without one.

    Exponential: scale c^t, with t from 0 for the picture to 1 for noise. By the signal-to-noise
    ratio: (1 - c) / (1 + sigma)^2 + c, with sigma = 1 / sqrt(SNR), which sd-scripts does not scale.
    """
    if options.type not in ("huber", "smooth_l1"):
        return None
    least = options.huber_c
    if options.huber_schedule == "constant":
        return torch.full_like(timesteps, least * options.huber_scale, dtype=torch.float32)
    if options.huber_schedule == "exponential":
        return options.huber_scale * least ** family.way(timesteps)
    # 1 / (1 + 1 / root)^2 without a division by the root, which is zero in noise alone.
    root = family.snr(timesteps).sqrt()
    kept = torch.where(root.isinf(), 1.0, root / (1 + root))
    return (1 - least) * kept.square() + least


def prior_weights(draws: Sequence[Draw], prior_loss_weight: float) -> torch.Tensor:
    """``prior_loss_weight`` for regularization pictures, 1 for the others; (B,) on the CPU."""
    return torch.tensor(
        [prior_loss_weight if draw.sample.is_regularization else 1.0 for draw in draws]
    )


def share_of_window(
    errors: torch.Tensor, weights: torch.Tensor, window_samples: int
) -> torch.Tensor:
    """What a micro-batch adds to its window's loss: its weighted sum over ALL the window's samples.

    Micro-batches of one window may have different sizes. A mean of their means would give a sample
    of a small one more weight; this way the update is the same however the window is split.
    """
    return (errors * weights).sum() / window_samples
