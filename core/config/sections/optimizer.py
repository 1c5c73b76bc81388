"""How the weights move: `[optimizer]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..options import Section, option

Rate = Annotated[float, Field(gt=0, le=10)] | Literal["off", "inherit"]


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
