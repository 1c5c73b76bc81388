"""Rules of `[optimizer]`."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from .base import Finding, Rule, error, warning


def _optimizer(config: RunConfig) -> Iterator[Finding]:
    optimizer = config.optimizer
    if optimizer.unet_learning_rate == "off" and optimizer.text_encoder_learning_rate == "off":
        yield error(
            'is "off", and so is optimizer.text_encoder_learning_rate: nothing would be trained',
            "optimizer.unet_learning_rate",
            "optimizer.text_encoder_learning_rate",
            remedy="Train at least one of them.",
        )
    if not all(0 <= beta < 1 for beta in optimizer.betas):
        yield error("must be two numbers from 0 to below 1", "optimizer.betas")
    warmup, most = optimizer.warmup, config.training.max_steps
    if warmup > 1 and warmup != int(warmup):
        yield error(
            f"is {warmup:g}: neither a whole number of steps nor, below 1, a share",
            "optimizer.warmup",
        )
    elif most is not None and warmup >= 1 and warmup >= most:
        yield error(
            f"takes {int(warmup)} steps, as many as training.max_steps allows, {most}",
            "optimizer.warmup",
            "training.max_steps",
            remedy="The full learning rate would never be reached: shorten it.",
        )
    for name, default, scheduler in (
        ("restarts", 1, "cosine_with_restarts"),
        ("power", 1.0, "polynomial"),
    ):
        if getattr(optimizer, name) != default and optimizer.scheduler != scheduler:
            yield warning(
                f'has no effect with the scheduler "{optimizer.scheduler}"',
                f"optimizer.{name}",
                "optimizer.scheduler",
            )


RULES: tuple[Rule, ...] = (_optimizer,)
