"""What is trained: `[network]`."""

from __future__ import annotations

from ..options import Section, option


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
    conv_rank: int | None = option(
        None,
        label="Convolution rank",
        help="Train the 3x3 convolutions too, with this rank (LoCon): a larger file that holds "
        "more of a style. The layers beside them get the rank above. Absent: attention alone.",
        source="S1",
        ge=1,
        le=1024,
        also="conv_dim",
    )
    conv_alpha: float | None = option(
        None,
        label="Convolution alpha",
        help="Scales the 3x3 convolutions by conv_alpha / conv_rank. Half of conv_rank if absent.",
        gt=0,
        le=4096,
        also="conv_alpha",
    )
    weights: str = option(
        "",
        label="Continue from LoRA",
        help="A LoRA file to go on from instead of from nothing, of any trainer: kohya's, PEFT's "
        "and diffusers' names are read. Its rank must be the one above, unless its layers have "
        "different ones, which they keep.",
        source="S3",
        path=True,
        also="network_weights",
    )
    dropout: float = option(
        0.0,
        label="Dropout",
        help="The share of the numbers between the LoRA's two matrices, behind down and before up, "
        "that are silenced at random. Against learning by heart: 0.1 is mild, 0.5 strong.",
        ge=0,
        lt=1,
        also="network_dropout",
    )
    rank_dropout: float = option(
        0.0,
        label="Rank dropout",
        help="The share of each layer's ranks that are silenced, drawn anew for every picture.",
        ge=0,
        lt=1,
        also="rank_dropout",
    )
    module_dropout: float = option(
        0.0,
        label="Module dropout",
        help="The share of the layers whose LoRA is left out, drawn anew for every step.",
        ge=0,
        lt=1,
        also="module_dropout",
    )
    max_norm: float | None = option(
        None,
        label="Longest weights",
        help="After each step, a layer that adds more than this to the base's weights (the norm of "
        "alpha / rank * up * down) is scaled back to it. 1 is usual. Absent: off.",
        gt=0,
        le=1e6,
        also="scale_weight_norms",
    )

    @property
    def scaling_alpha(self) -> float:
        """``alpha``, or what stands for it where it is absent."""
        return self.rank / 2 if self.alpha is None else self.alpha

    @property
    def scaling_conv_alpha(self) -> float | None:
        """``conv_alpha``, or what stands for it; None where no convolution is trained."""
        if self.conv_rank is None:
            return None
        return self.conv_rank / 2 if self.conv_alpha is None else self.conv_alpha
