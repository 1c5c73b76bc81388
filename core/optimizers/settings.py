"""What an optimizer makes of `[optimizer]`: the values that count, its arguments, its package. No
torch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from ..config.config_problems import dotted, in_toml, short
from ..config.options import OptionInfo, Section, walk
from ..errors import Problem, WizardError
from . import registry
from .base import ADAM_VALUES, OptimizerSpec, ParameterGroup

if TYPE_CHECKING:
    from ..config import OptimizerOptions

ARGUMENTS = "optimizer.arguments"
GENERAL = tuple(ADAM_VALUES)
"""The options of `[optimizer]` that an optimizer may take or not."""

Arguments = TypeVar("Arguments", bound=Section)


def settled(options: OptimizerOptions) -> OptimizerOptions:
    """``options`` with the optimizer's usual values where there are none. What stays None, it does
    not take. An optimizer that cannot be found changes nothing."""
    spec = known(options.name)
    if spec is None:
        return options
    missing = {
        name: list(value) if isinstance(value, list) else value
        for name, value in spec.usual.items()
        if getattr(options, name) is None
    }
    if "learning_rate" in missing and spec.makes_own_rate(options):
        del missing["learning_rate"]
    return options.model_copy(update=missing) if missing else options


def known(name: str) -> OptimizerSpec | None:
    """The optimizer of that name; None where there is none, which the preflight says."""
    try:
        return registry.find(name)
    except WizardError:
        return None


def chosen(arguments: type[Arguments], options: OptimizerOptions) -> Arguments:
    """An optimizer's own options, with defaults where the TOML is silent or wrong."""
    valid = {
        name: value
        for name, value in options.arguments.items()
        if _is_valid(arguments, name, value)
    }
    return arguments.model_validate(valid)


def adam_values(options: OptimizerOptions) -> dict[str, Any]:
    """Settled options as the arguments that optimizers of Adam's kind have."""
    assert options.betas is not None
    return {
        "lr": options.learning_rate,
        "betas": (options.betas[0], options.betas[1]),
        "eps": options.epsilon,
        "weight_decay": options.weight_decay,
    }


def as_groups(groups: Sequence[ParameterGroup]) -> list[dict[str, Any]]:
    """As torch's optimizers take them."""
    return [{"params": list(group.parameters), "lr": group.rate} for group in groups]


def argument_infos(spec: OptimizerSpec) -> list[OptionInfo]:
    """An optimizer's own options, by the keys that a TOML could give them."""
    return list(walk(spec.arguments, f"{ARGUMENTS}."))


def with_arguments() -> list[OptimizerSpec]:
    """The optimizers that have options of their own."""
    specs = [spec for name in registry.names() if (spec := known(name))]
    return [spec for spec in specs if spec.arguments.model_fields]


def argument_problems(spec: OptimizerSpec, options: OptimizerOptions) -> Iterator[Problem]:
    """What is wrong with each single argument."""
    infos = {info.key.removeprefix(f"{ARGUMENTS}."): info for info in argument_infos(spec)}
    for name, value in options.arguments.items():
        where = dotted((*ARGUMENTS.split("."), name))
        if name not in infos:
            remedy = _meant(spec, name, value, list(infos))
            yield Problem(f"{spec.title} has no argument {short(name)}", where, remedy=remedy)
        elif not _is_valid(spec.arguments, name, value):
            message = f"{name} must be {infos[name].allowed}, not {in_toml(value)}"
            yield Problem(message, where)


def missing_package(spec: OptimizerSpec) -> Problem | None:
    """That the distribution it comes from is not installed."""
    package = spec.package
    if package is None or find_spec(package.module) is not None:
        return None
    return Problem(
        f"{spec.title} needs the package {package.module}, which is not installed",
        "optimizer.name",
        remedy=f"Install it: {package.install}",
    )


def _is_valid(arguments: type[Section], name: str, value: Any) -> bool:
    try:
        arguments.model_validate({name: value})
    except ValidationError:
        return False
    return True


def _meant(spec: OptimizerSpec, name: str, value: Any, names: list[str]) -> str:
    word = name.lower().replace("-", "_")
    word = {"lr": "learning_rate", "eps": "epsilon"}.get(word, word)
    if word in GENERAL and word in spec.usual:
        return f"It is an option of its own: {word} = {in_toml(value)} in [optimizer]."
    if close := difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        return f"Did you mean {close[0]}?"
    return f"There are: {', '.join(names)}." if names else "It has none: leave it out."
