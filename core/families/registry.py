"""Which families there are. Free of torch: only `base.load_implementation` loads one."""

from __future__ import annotations

from ..registry import Registry
from .base import FamilySpec

_FAMILIES = Registry(
    __name__.rpartition(".")[0], "lora_wizard.families", FamilySpec, "model family"
)

names = _FAMILIES.names
find = _FAMILIES.find
