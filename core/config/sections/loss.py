"""What counts as an error: `[loss]`."""

from __future__ import annotations

from typing import Literal

from ..options import Section, option

MaskSource = Literal["none", "file", "alpha"]


class LossOptions(Section):
    """What counts as an error, and the noise it is measured with."""

    min_snr_gamma: float | None = option(
        None,
        label="Min-SNR gamma",
        help="Gives steps of little noise less weight; 5 is the paper's. Absent: all count alike.",
        source="arXiv 2303.09556",
        gt=0,
        le=1000,
    )
    noise_offset: float = option(
        0.0,
        help="Shifts the noise per channel, which helps very dark and very bright pictures. 0.02 "
        "is gentle; 0.1 gives the contrasty look of generated pictures.",
        source="S1; S4",
        ge=0,
        le=1,
    )
    adaptive_noise_scale: float = option(
        0.0,
        help="Adds this times the picture's own mean brightness to the offset; a tenth of "
        "noise_offset is usual.",
        source="S1",
        ge=-1,
        le=1,
    )
    mask: MaskSource = option(
        "none",
        label="Mask",
        help="Which parts of a picture are learned: all; by name-mask.png beside name.jpg (white: "
        "learned, black: ignored, grey: in part); or by its transparency, where what is "
        "transparent is ignored. Pictures without a mask are learned whole.",
        source="S2",
        also="masked_loss, alpha_mask",
    )
    prior_loss_weight: float = option(
        1.0,
        help="The weight of regularization pictures in the loss.",
        source="S3",
        ge=0,
        le=100,
    )
