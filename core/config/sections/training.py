"""How long, in what portions, from which seed: `[training]`."""

from __future__ import annotations

from ..options import Section, option


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
    ema_decay: float | None = option(
        None,
        label="EMA decay",
        help="Save and draw a moving average of the weights: 0.99 for hundreds of steps, 0.999 "
        "for thousands. Calmer, and a little behind. Absent: the weights as they are.",
        absent="off",
        allowed="a number between 0 and 1",
        gt=0,
        lt=1,
    )
    deterministic: bool = option(
        False,
        help="Makes a GPU give the same file to the last bit each time, also after a kill and a "
        "resume. Slower. Off: the same draws and the same steps, and a file that differs in "
        "rounding. The CPU is exact either way.",
    )
    seed: int = option(
        42,
        help="Every random draw comes from it; the same seed gives the same file.",
        source="S3",
        ge=0,
        le=2**63 - 1,
    )
