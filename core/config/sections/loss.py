"""What counts as an error: `[loss]`."""

from __future__ import annotations

from ..options import Section, option


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
    prior_loss_weight: float = option(
        1.0,
        help="The weight of regularization pictures in the loss.",
        source="S3",
        ge=0,
        le=100,
    )
