"""Which optimizers there are. Free of torch, as long as none is built."""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points

from ..errors import WizardError
from .base import OptimizerSpec

ENTRY_POINT_GROUP = "lora_wizard.optimizers"


def names() -> list[str]:
    """The names of all optimizers, in alphabetical order."""
    return sorted({*_own(), *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def find(name: str) -> OptimizerSpec:
    """The optimizer of that name; our own come before those of other distributions.

    Raises WizardError for an unknown name, with a did-you-mean, and for an entry point that does
    not give an OptimizerSpec.
    """
    if name in _own():
        return _own()[name]
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        spec = point.load()
        if isinstance(spec, OptimizerSpec):
            return spec
        raise WizardError(
            f'The optimizer "{name}" of another distribution cannot be used',
            f"{point.value} is a {type(spec).__name__}, not an OptimizerSpec",
            "Update or uninstall the distribution that brings it.",
        )
    close = get_close_matches(name, names(), n=1)
    hint = f'Did you mean "{close[0]}"? ' if close else ""
    raise WizardError(
        f'There is no optimizer "{name}"', "", f"{hint}There are: {', '.join(names())}."
    )


@cache
def _own() -> dict[str, OptimizerSpec]:
    package = importlib.import_module(__package__ or "")
    found: dict[str, OptimizerSpec] = {}
    for module in pkgutil.iter_modules(package.__path__):
        spec = getattr(importlib.import_module(f".{module.name}", __package__), "SPEC", None)
        if isinstance(spec, OptimizerSpec):
            found[spec.name] = spec
    return found
