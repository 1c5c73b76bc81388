"""Rules of `[samples]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from .base import Finding, Rule, note


def _samples(config: RunConfig) -> Iterator[Finding]:
    if not config.sample_prompts() and (config.samples.every_steps or config.samples.every_epochs):
        yield note(
            "None given, so no pictures will be drawn on the way",
            "samples.prompts",
            remedy='Add one to see it learn, such as "mika, a photo of a woman".',
        )


RULES: tuple[Rule, ...] = (_samples,)
