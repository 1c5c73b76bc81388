"""Rules of `[captions]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from .base import Finding, Rule, warning


def _captions(config: RunConfig) -> Iterator[Finding]:
    captions = config.captions
    if captions.keep_tokens and not captions.shuffle:
        yield warning(
            "has no effect without captions.shuffle", "captions.keep_tokens", "captions.shuffle"
        )
    words = len(captions.trigger_words)
    if captions.shuffle and captions.keep_tokens < words:
        yield warning(
            f"is {captions.keep_tokens}: shuffling will move the trigger words away from the front",
            "captions.keep_tokens",
            "captions.shuffle",
            "captions.trigger_words",
            remedy=f"Set it to {words} or more.",
        )


RULES: tuple[Rule, ...] = (_captions,)
