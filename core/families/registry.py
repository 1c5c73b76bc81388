"""Which families there are. Free of torch: only `base.load_implementation` loads one."""

from __future__ import annotations

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points

from ..errors import EXIT_FAILED, WizardError
from .base import FamilySpec

ENTRY_POINT_GROUP = "lora_wizard.families"
_NOT_FAMILIES = frozenset({"base", "registry"})


class UnknownFamilyError(WizardError):
    """No family of that name."""


def names() -> list[str]:
    """The names of all families, in alphabetical order."""
    return sorted({*_own(), *_entry_points()})


def find(name: str) -> FamilySpec:
    """The spec of a family by name.

    Raises UnknownFamilyError with a did-you-mean, and WizardError for an entry point of another
    distribution that does not give a FamilySpec.
    """
    own = _own()
    if name in own:
        return own[name]
    foreign = _entry_points()
    if name in foreign:
        return _loaded(name)
    known = names()
    close = get_close_matches(name, known, n=1)
    hint = f'Did you mean "{close[0]}"? ' if close else ""
    raise UnknownFamilyError(
        f'There is no model family "{name}"', "", f"{hint}There are: {', '.join(known)}."
    )


@cache
def _own() -> dict[str, FamilySpec]:
    package = importlib.import_module(__package__ or "")
    found: dict[str, FamilySpec] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in _NOT_FAMILIES or module.name.endswith("_model"):
            continue
        spec = getattr(importlib.import_module(f".{module.name}", __package__), "SPEC", None)
        if isinstance(spec, FamilySpec):
            found[spec.name] = spec
    return found


def _entry_points() -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group=ENTRY_POINT_GROUP))


def _loaded(name: str) -> FamilySpec:
    (point, *_) = entry_points(group=ENTRY_POINT_GROUP, name=name)
    try:
        spec = point.load()
    except Exception as error:
        raise _broken(name, point.value, f"{type(error).__name__}: {error}") from error
    if not isinstance(spec, FamilySpec):
        raise _broken(name, point.value, f"it is a {type(spec).__name__}, not a FamilySpec")
    return spec


def _broken(name: str, value: str, why: str) -> WizardError:
    error = WizardError(
        f'The model family "{name}" of another distribution cannot be used',
        f"{value}: {why}",
        "Update or uninstall the distribution that brings it.",
    )
    error.exit_code = EXIT_FAILED
    return error
