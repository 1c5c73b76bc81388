"""How the weights move: `[optimizer]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..options import Section, option

Argument = bool | int | float | str | list[float]
Rate = Annotated[float, Field(gt=0, le=10)] | Literal["off", "inherit"]


class OptimizerOptions(Section):
    """How the LoRA's weights move."""

    name: str = option(
        "adamw",
        label="Optimizer",
        help="AdamW is the safe choice. Prodigy finds the learning rate itself. AdamW 8-bit and "
        "Adafactor need less memory, which with a LoRA is little.",
        level="basic",
        source="S3 S4",
        also="optimizer_type",
    )
    learning_rate: float | None = option(
        None,
        help="The size of a step: 1e-4 is usual, 5e-5 for faces, 1 for Prodigy.",
        source="S2 S3; S0",
        level="basic",
        absent="the optimizer's usual",
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
    weight_decay: float | None = option(
        None,
        help="Pulls the weights towards zero: 0.01 is AdamW's and Prodigy's usual.",
        absent="the optimizer's usual",
        ge=0,
        le=1,
    )
    betas: list[float] | None = option(
        None,
        label="Betas",
        help="How long the optimizer remembers gradients and their squares: AdamW's are 0.9, "
        "0.999.",
        absent="the optimizer's usual",
        min_length=2,
        max_length=2,
    )
    epsilon: float | None = option(
        None,
        help="Keeps the optimizer from dividing by zero: 1e-8 is usual.",
        absent="the optimizer's usual",
        gt=0,
        le=1,
    )
    loraplus_ratio: float = option(
        1.0,
        label="LoRA+ ratio",
        help="How many times faster the up matrices learn than the down matrices (LoRA+); 16 with "
        "a halved learning rate is what its authors begin with. 1: alike.",
        source="arXiv 2402.12354",
        ge=1,
        le=1000,
        also="loraplus_lr_ratio",
    )
    arguments: dict[str, Argument] = option(
        {},
        label="Own arguments",
        help="What only the chosen optimizer has, such as d_coef = 2.0 for Prodigy; `lora-wizard "
        "options prodigy` explains them.",
        source="S4",
        allowed="a table of numbers, texts, true or false",
        also="optimizer_args",
    )
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
