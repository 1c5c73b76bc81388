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
