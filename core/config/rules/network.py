"""Rules of `[network]`."""

from __future__ import annotations

from collections.abc import Iterator

from ...optimizers import settings
from ..run_config import RunConfig
from .base import Finding, Rule, error, warning


def _network(config: RunConfig) -> Iterator[Finding]:
    network = config.network
    if network.conv_alpha is not None and network.conv_rank is None:
        yield warning(
            "has no effect without network.conv_rank", "network.conv_alpha", "network.conv_rank"
        )
    if network.conv_rank is not None and config.optimizer.unet_learning_rate == "off":
        yield warning(
            "has no effect: convolutions are the U-Net's, and that is not trained",
            "network.conv_rank",
            "optimizer.unet_learning_rate",
        )
    spec = settings.known(config.optimizer.name)
    if network.max_norm is not None and spec and spec.finished_weights:
        yield error(
            f"does not go with {spec.title}, whose files hold other weights than those in training",
            "network.max_norm",
            "optimizer.name",
            remedy="Leave it out, or choose another optimizer.",
        )


RULES: tuple[Rule, ...] = (_network,)
