"""Which network types there are. Free of torch until one is attached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..registry import Registry
from .base import LayerSize, Network, NetworkSpec

if TYPE_CHECKING:
    from ..config import NetworkOptions
    from ..families.base import ModelFamily

_NETWORKS = Registry(
    __name__.rpartition(".")[0], "lora_wizard.networks", NetworkSpec, "network type"
)

names = _NETWORKS.names
find = _NETWORKS.find


def attach(
    family: ModelFamily,
    options: NetworkOptions,
    seed: int,
    parts: Sequence[str],
    sizes: Mapping[str, LayerSize] = MappingProxyType({}),
) -> Network:
    """Hang a new network of ``options.type`` on ``parts`` of ``family`` (``denoiser`` and text
    encoders by name), its first weights drawn from ``seed``. ``sizes``: see `NetworkSpec.attach`.

    Raises WizardError when the type is unknown or the base has no layer for it.
    """
    return find(options.type).attach(family, options, seed, parts, sizes)
