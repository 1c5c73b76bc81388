"""The options of the loop, the network, the optimizer and the loss. See `core.config`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .options import Section, option

Rate = Annotated[float, Field(gt=0, le=10)] | Literal["off", "inherit"]


class TrainingOptions(Section):
    """How long, in what portions, and from which seed."""

    epochs: int = option(
        10,
        help="How often the whole dataset is gone through. More epochs with fewer repeats give "
        "more files to choose from.",
        source="S0 S1",
        level="basic",
        ge=1,
        le=100_000,
        also="max_train_epochs",
    )
    max_steps: int | None = option(
        None,
        label="Most steps",
        help="Stop after this many steps even if epochs are left. Absent: epochs decide.",
        source="S1 S3",
        ge=1,
        le=100_000_000,
        also="max_train_steps",
    )
    batch_size: int = option(
        1,
        help="Pictures per step. Two is a good start where memory allows.",
        source="S0 S4",
        level="basic",
        ge=1,
        le=4096,
        also="train_batch_size",
    )
    gradient_accumulation: int = option(
        1,
        label="Gradient accumulation",
        help="Batches gathered before each step: a larger batch at the memory of a small one.",
        ge=1,
        le=4096,
        also="gradient_accumulation_steps",
    )
    gradient_checkpointing: bool = option(
        False,
        help="Spend about a third more time to need far less memory.",
        source="S1 S4",
    )
    max_grad_norm: float = option(
        1.0,
        label="Longest gradient",
        help="Gradients longer than this are shortened to it; 0 turns it off.",
        ge=0,
        le=1e6,
    )
    seed: int = option(
        42,
        help="Every random draw comes from it; the same seed gives the same file.",
        source="S3",
        ge=0,
        le=2**63 - 1,
    )


class NetworkOptions(Section):
    """The LoRA."""

    type: str = option(
        "lora", label="Network type", help="The kind of network.", also="network_module"
    )
    rank: int = option(
        16,
        help="How much it can hold, and how big the file gets: 16 to 32 for a face, up to 32 for "
        "nearly everything else.",
        source="S0 S1",
        level="basic",
        ge=1,
        le=1024,
        also="network_dim",
    )
    alpha: float | None = option(
        None,
        help="Scales the LoRA by alpha / rank. Half of the rank if absent.",
        source="S0 S1 S4",
        level="basic",
        gt=0,
        le=4096,
        also="network_alpha",
    )


class OptimizerOptions(Section):
    """How the LoRA's weights move."""

    name: str = option(
        "adamw", label="Optimizer", help="The optimizer.", level="basic", also="optimizer_type"
    )
    learning_rate: float = option(
        1e-4,
        help="The size of a step: 1e-4 is usual, 5e-5 for faces.",
        source="S2 S3; S0",
        level="basic",
        gt=0,
        le=10,
    )
    unet_learning_rate: Rate = option(
        "inherit",
        label="U-Net rate",
        help='Of the U-Net: a number, "inherit" for learning_rate, or "off" to train only the '
        "text encoder.",
        source="S2 S3",
        also="unet_lr",
    )
    text_encoder_learning_rate: Rate = option(
        "inherit",
        label="Text encoder rate",
        help='Of the text encoder: a number, "inherit" for learning_rate, or "off" to train only '
        "the U-Net. Half of learning_rate or 5e-5 is often advised.",
        source="S2 S3",
        level="basic",
        also="text_encoder_lr",
    )
    weight_decay: float = option(0.01, help="Pulls the weights towards zero.", ge=0, le=1)
    betas: list[float] = option(
        [0.9, 0.999],
        label="Betas",
        help="How long AdamW remembers gradients and their squares.",
        min_length=2,
        max_length=2,
    )
    epsilon: float = option(1e-8, help="Keeps AdamW from dividing by zero.", gt=0, le=1)
    scheduler: Literal["constant", "linear", "cosine", "cosine_with_restarts", "polynomial"] = (
        option(
            "constant",
            help="How the learning rate goes over the run.",
            source="S2 S4",
            level="basic",
            also="lr_scheduler",
        )
    )
    warmup: int | float = option(
        0,
        help="Steps during which the rate rises from zero; below 1, a share of all steps.",
        source="S4",
        ge=0,
        also="lr_warmup_steps",
    )
    restarts: int = option(
        1,
        label="Cosine restarts",
        help="Cycles of cosine_with_restarts.",
        ge=1,
        le=10_000,
        also="lr_scheduler_num_cycles",
    )
    power: float = option(
        1.0,
        label="Polynomial's power",
        help="Exponent of the polynomial scheduler.",
        gt=0,
        le=100,
        also="lr_scheduler_power",
    )


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
