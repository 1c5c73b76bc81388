"""Rules of `[output]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from .base import Finding, Rule, error, warning

_LONGEST_NAME = 200
"""Bytes of a file name, so that an epoch's number and the ending still fit into 255."""


def _output(config: RunConfig) -> Iterator[Finding]:
    name = config.output.name
    if name.startswith("."):
        yield error("begins with a dot, which hides the file", "output.name")
    if name.lower().endswith((".safetensors", ".ckpt", ".pt")):
        yield error("has a file's ending, which is added anyway", "output.name")
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        yield error(f"is longer than {_LONGEST_NAME} bytes", "output.name")
    saves = config.output.save_every_epochs or config.output.save_every_steps
    if config.output.keep_last and not saves:
        yield warning(
            "has no effect while nothing is saved on the way",
            "output.keep_last",
            "output.save_every_epochs",
            "output.save_every_steps",
        )


RULES: tuple[Rule, ...] = (_output,)
