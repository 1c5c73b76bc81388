"""Which captioners there are."""

from __future__ import annotations

from ..core.registry import Registry
from .base import CaptionerSpec

_CAPTIONERS = Registry(
    __name__.rpartition(".")[0], "lora_wizard.captioners", CaptionerSpec, "captioner"
)

names = _CAPTIONERS.names
find = _CAPTIONERS.find
