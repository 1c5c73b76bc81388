"""Which optimizers there are. Free of torch until one is built."""

from __future__ import annotations

from ..registry import Registry
from .base import OptimizerSpec

_OPTIMIZERS = Registry(
    __name__.rpartition(".")[0], "lora_wizard.optimizers", OptimizerSpec, "optimizer"
)

names = _OPTIMIZERS.names
find = _OPTIMIZERS.find
