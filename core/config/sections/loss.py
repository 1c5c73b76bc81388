"""What counts as an error, and with which noise it is measured: `[loss]`."""

from __future__ import annotations

from typing import Literal

from ..options import Section, option

MaskSource = Literal["none", "file", "alpha"]
LossType = Literal["l2", "l1", "huber", "smooth_l1"]
HuberSchedule = Literal["constant", "exponential", "snr"]
TIMESTEPS = 1000
"""Of `min_timestep` and `max_timestep`, whatever a family makes of them."""


class LossOptions(Section):
    """What counts as an error, and the noise it is measured with."""

    type: LossType = option(
        "l2",
        label="Loss type",
        help="How an error counts: l2 by its square; l1 by its size; huber and smooth_l1 by its "
        "square when it is small and by its size when it is large, so that odd pictures pull "
        "less.",
        source="sd-scripts",
        also="loss_type",
    )
    huber_c: float = option(
        0.1,
        label="Huber threshold",
        help="Where huber and smooth_l1 pass from square to size: the smaller, the more like l1.",
        source="sd-scripts",
        gt=0,
        le=1,
    )
    huber_scale: float = option(
        1.0,
        label="Huber scale",
        help="Multiplies the threshold of the schedules constant and exponential, which else stays "
        "at 1 or below.",
        source="sd-scripts",
        gt=0,
        le=1000,
    )
    huber_schedule: HuberSchedule = option(
        "snr",
        label="Huber schedule",
        help="Where the threshold holds: at every timestep (constant), or only in noise alone, "
        "rising to 1 towards the clean picture (exponential, snr).",
        source="sd-scripts",
    )
    min_snr_gamma: float | None = option(
        None,
        label="Min-SNR gamma",
        help="Gives steps of little noise less weight; 5 is the paper's. Absent: all count alike.",
        source="arXiv 2303.09556",
        gt=0,
        le=1000,
    )
    debiased: bool = option(
        False,
        label="Debiased estimation",
        help="Gives steps of much noise more weight, where the outlines are decided. It takes the "
        "place of Min-SNR gamma.",
        source="arXiv 2310.08442",
        also="debiased_estimation_loss",
    )
    scale_v_like_epsilon: bool = option(
        False,
        label="Weigh v like epsilon",
        help="For bases that predict v: weighs timesteps as epsilon would, which means less for "
        "those of much noise.",
        source="sd-scripts",
        also="scale_v_pred_loss_like_noise_pred",
    )
    v_like_loss: float = option(
        0.0,
        label="Share of v's weights",
        help="For bases that predict epsilon: adds so much of the loss as v would weigh it; more "
        "for timesteps of much noise.",
        source="sd-scripts",
        ge=0,
        le=100,
        also="v_pred_like_loss",
    )
    noise_offset: float = option(
        0.0,
        help="Shifts the noise per channel, which helps very dark and very bright pictures. 0.02 "
        "is gentle; 0.1 gives the contrasty look of generated pictures.",
        source="S1; S4",
        ge=0,
        le=1,
    )
    noise_offset_random_strength: bool = option(
        False,
        label="Random noise offset",
        help="Draws the offset anew for every picture, from 0 to noise_offset.",
        source="sd-scripts",
    )
    adaptive_noise_scale: float = option(
        0.0,
        help="Adds this times the picture's own mean brightness to the offset; a tenth of "
        "noise_offset is usual.",
        source="S1",
        ge=-1,
        le=1,
    )
    multires_iterations: int = option(
        0,
        label="Multires iterations",
        help="Adds so many layers of ever coarser noise; 6 to 10 are usual, 0 adds none. Like the "
        "noise offset, it teaches large areas of light and dark: take one of the two.",
        source="sd-scripts",
        ge=0,
        le=64,
        also="multires_noise_iterations",
    )
    multires_discount: float = option(
        0.3,
        label="Multires discount",
        help="How much of one layer of multires noise is left in the next: 0.1 to 0.3 for a LoRA, "
        "up to 0.8 for large sets.",
        source="sd-scripts",
        gt=0,
        le=1,
        also="multires_noise_discount",
    )
    input_perturbation: float = option(
        0.0,
        label="Input perturbation",
        help="Adds so much more noise to what the model sees, but not to what it must say, which "
        "makes it forgive its own mistakes; 0.1 is the paper's.",
        source="arXiv 2301.11706",
        ge=0,
        le=1,
        also="ip_noise_gamma",
    )
    input_perturbation_random_strength: bool = option(
        False,
        label="Random perturbation",
        help="Draws the perturbation anew for every picture, from 0 to input_perturbation.",
        source="sd-scripts",
        also="ip_noise_gamma_random_strength",
    )
    min_timestep: int = option(
        0,
        label="Lowest timestep",
        help="Timesteps below are not trained. Of 1000: 0 is the picture, where details are drawn.",
        source="sd-scripts",
        ge=0,
        le=TIMESTEPS - 1,
    )
    max_timestep: int = option(
        TIMESTEPS,
        label="End of timesteps",
        help="Timesteps from here on are not trained. Of 1000: the last are noise alone, where the "
        "composition is decided.",
        source="sd-scripts",
        ge=1,
        le=TIMESTEPS,
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
