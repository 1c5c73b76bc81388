"""How the many settings of a step are arranged: the few that matter first, the rest by section."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.config.option_text import section_help
from ...core.config.options import OptionInfo

MATTER = (
    "network.rank",
    "network.alpha",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.text_encoder_learning_rate",
    "optimizer.scheduler",
    "dataset.resolution",
    "training.gradient_checkpointing",
    "loss.noise_offset",
    "loss.min_snr_gamma",
)
"""The settings that most often decide how a LoRA comes out, or whether it fits the memory."""


def arranged(options: Sequence[OptionInfo]) -> tuple[list[OptionInfo], list[OptionInfo]]:
    """(those that matter, the rest), the rest with each section together."""
    by_key = {info.key: info for info in options}
    first = [by_key[key] for key in MATTER if key in by_key]
    rest = [info for info in options if info.key not in MATTER]
    order = list(dict.fromkeys(info.section for info in rest))
    return first, sorted(rest, key=lambda info: order.index(info.section))


def headings(options: Sequence[OptionInfo]) -> dict[str, str]:
    """By the key of each section's first option: what stands above it."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for info in options:
        if info.section not in seen:
            seen.add(info.section)
            found[info.key] = f"{info.section}: {section_help(info.section).splitlines()[0]}"
    return found
