"""From a prediction to the number that is minimised."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..dataset.plan import Draw


def sample_errors(
    prediction: torch.Tensor, target: torch.Tensor, *, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean squared error of each sample, (B,) fp32, from two (B, ...) of any precision; ``mask`` as
    in `mean_of_cells`."""
    return mean_of_cells((prediction.float() - target.float()).square(), mask)


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
