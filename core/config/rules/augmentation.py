"""Rules of `[augmentation]`, and of the cache that it can do without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...errors import Mend
from ..run_config import RunConfig
from .base import Finding, Rule, error, note, warning

_CACHE = "dataset.cache_latents"


def _cached(config: RunConfig) -> Iterator[Finding]:
    for name in ("color", "random_crop"):
        if getattr(config.augmentation, name) and config.dataset.cache_latents:
            finding = error(
                "needs pictures that are encoded anew at each use",
                f"augmentation.{name}",
                _CACHE,
                remedy="Set dataset.cache_latents = false, which is slower; or leave this out.",
            )
            mend = Mend("Encode each use anew", {_CACHE: False})
            yield replace(finding, problem=replace(finding.problem, mends=(mend,)))


def _uncached(config: RunConfig) -> Iterator[Finding]:
    if config.dataset.cache_latents:
        return
    if config.augmentation.needs_pixels:
        yield note(
            "Each use of a picture is encoded anew: every step is longer, and the VAE stays in the "
            "GPU's memory.",
            _CACHE,
            "augmentation.color",
            "augmentation.random_crop",
        )
    else:
        yield warning(
            "Without the cache every step is longer and takes more memory, and what is learned is "
            "the same.",
            _CACHE,
            "augmentation.color",
            "augmentation.random_crop",
            remedy="Turn it on: only augmentation.color and augmentation.random_crop need it off.",
        )


RULES: tuple[Rule, ...] = (_cached, _uncached)
