"""One new file adds a family, a network type or an optimizer: how such files are found.

A module of a package that holds a ``SPEC`` is one; an entry point of another distribution that
names a spec is one too. Free of torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from .errors import EXIT_FAILED, WizardError

_NO_SPECS = frozenset(
    {"base", "dropouts", "noise_schedule", "norms", "prediction", "registry", "state"}
)
"""Modules beside the specs; what they import is not paid for by a look at the names."""


class Named(Protocol):
    @property
    def name(self) -> str: ...


Spec = TypeVar("Spec", bound=Named)


class UnknownNameError(WizardError):
    """Nothing of that name is registered."""


class BrokenPluginError(WizardError):
    """Another distribution's entry point does not give what it promises."""

    exit_code = EXIT_FAILED


class Registry(Generic[Spec]):
    """The specs of ``kind`` in the modules of ``package`` and the entry points of ``group``.

    Modules whose names end in ``_model`` import torch and are never looked into. ``noun`` names
    the kind in messages.
    """

    def __init__(self, package: str, group: str, kind: type[Spec], noun: str) -> None:
        self.package = package
        self.group = group
        self.kind = kind
        self.noun = noun

    def names(self) -> list[str]:
        """All names, in alphabetical order. Entry points are named, not loaded."""
        return sorted({*self._own, *(point.name for point in entry_points(group=self.group))})

    def find(self, name: str) -> Spec:
        """The spec of that name; our own come first.

        Raises UnknownNameError with a did-you-mean, BrokenPluginError.
        """
        if name in self._own:
            return self._own[name]
        for point in entry_points(group=self.group, name=name):
            return self._loaded(name, point)
        known = self.names()
        close = get_close_matches(name, known, n=1)
        hint = f'Did you mean "{close[0]}"? ' if close else ""
        raise UnknownNameError(
            f'There is no {self.noun} "{name}"', "", f"{hint}There are: {', '.join(known)}."
        )

    @cached_property
    def _own(self) -> Mapping[str, Spec]:
        package = importlib.import_module(self.package)
        found: dict[str, Spec] = {}
        for module in pkgutil.iter_modules(package.__path__):
            if module.name in _NO_SPECS or module.name.endswith("_model"):
                continue
            loaded = importlib.import_module(f"{self.package}.{module.name}")
            spec = getattr(loaded, "SPEC", None)
            if isinstance(spec, self.kind):
                found[spec.name] = spec
        return found

    def _loaded(self, name: str, point: EntryPoint) -> Spec:
        try:
            spec = point.load()
        except Exception as error:
            raise self._broken(name, point.value, f"{type(error).__name__}: {error}") from error
        if not isinstance(spec, self.kind):
            why = f"it is a {type(spec).__name__}, not a {self.kind.__name__}"
            raise self._broken(name, point.value, why)
        return spec

    def _broken(self, name: str, value: str, why: str) -> BrokenPluginError:
        return BrokenPluginError(
            f'The {self.noun} "{name}" of another distribution cannot be used',
            f"{value}: {why}",
            "Update or uninstall the distribution that brings it.",
        )
