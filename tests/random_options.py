"""Configurations that nobody would think of: any options with any values that each may have."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from lora_wizard.core.config import RunConfig
from lora_wizard.core.config.options import OptionInfo, walk
from lora_wizard.core.optimizers import registry as optimizers
from lora_wizard.core.optimizers import settings
from lora_wizard.core.sampling.samplers import SAMPLERS

_TEXTS = ("", "mika", ", ", "|||", "{a|b}", "(word:1.2)", "[filewords]", "a photo of", "{", "\\")
_LISTED = frozenset({"dataset.concepts"})


def random_options(
    chance: random.Random, given: Mapping[str, Sequence[Any]], share: float = 0.3
) -> dict[str, Any]:
    """Values by dotted keys, for about ``share`` of all options; of those in ``given`` one of the
    values there, and of all others whatever their definition allows."""
    chosen: dict[str, Any] = {}
    for info in walk(RunConfig):
        if info.key in _LISTED or "[]" in info.key or chance.random() >= share:
            continue
        if info.key in given:
            chosen[info.key] = chance.choice(given[info.key])
        elif info.key == "optimizer.arguments":
            chosen[info.key] = _arguments(chance, str(chosen.get("optimizer.name", "adamw")))
        else:
            chosen[info.key] = _value(chance, info)
    return chosen


def names() -> dict[str, Sequence[Any]]:
    """What may stand there, of options whose definition does not say all of it."""
    rates = ["inherit", "off", 1e-4, 1e-3, 1.0]
    return {
        "optimizer.unet_learning_rate": rates,
        "optimizer.text_encoder_learning_rate": rates,
        "dataset.resolution": [None, 64, 512, [64, 96], [8, 8], 8192],
        "output.name": ["lora", "mika v2", "a.b"],
        "optimizer.name": optimizers.names(),
        "samples.sampler": list(SAMPLERS),
        "network.type": ["lora"],
        "model.family": ["sd1"],
    }


def nested(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Dotted keys as the tables of a TOML."""
    tables: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        tables.setdefault(section, {})[name] = value
    return tables


def _arguments(chance: random.Random, name: str) -> dict[str, Any]:
    spec = settings.known(name)
    infos = settings.argument_infos(spec) if spec else []
    chosen = [info for info in infos if chance.random() < 0.5]
    values = {info.key.rpartition(".")[2]: _value(chance, info) for info in chosen}
    return {key: value for key, value in values.items() if value is not None}


def _value(chance: random.Random, info: OptionInfo) -> Any:
    """One of the values that the definition allows, its limits more often than others."""
    kinds = _kinds(info.annotation)
    kind = chance.choice(kinds)
    if get_origin(kind) is Literal:
        return chance.choice(get_args(kind))
    if kind is bool:
        return chance.random() < 0.5
    if kind in (int, float):
        return kind(chance.choice(_numbers(chance, kind, _limits(info.field.metadata))))
    if kind is str:
        texts = [text for text in _TEXTS if text or not _needs_text(info)]
        return chance.choice(texts)
    if get_origin(kind) is list:
        return _list(chance, kind, info)
    return None


def _kinds(annotation: Any) -> list[Any]:
    """The members of a union, without their annotations; the others alone."""
    if hasattr(annotation, "__metadata__"):
        return _kinds(annotation.__origin__)
    if get_origin(annotation) in (Literal, list, dict) or not get_args(annotation):
        return [annotation]
    return [kind for member in get_args(annotation) for kind in _kinds(member)]


def _list(chance: random.Random, kind: Any, info: OptionInfo) -> list[Any]:
    item = get_args(kind)[0]
    if item is str:
        return [chance.choice(_TEXTS[1:]) for _ in range(chance.randrange(4))]
    if item is int:
        return [chance.choice((8, 16, 32, 64)) for _ in range(2)]
    return [chance.choice((0.0, 0.5, 0.9, 0.999)) for _ in range(2)]


def _limits(metadata: Sequence[Any]) -> tuple[float, float]:
    """The least and the most that the limits allow; whole ranges where they leave one open."""
    low, high = 0.0, 1000.0
    for limit in metadata:
        low = getattr(limit, "ge", low)
        high = getattr(limit, "le", high)
        low = limit.gt + 1e-6 if hasattr(limit, "gt") else low
        high = limit.lt - 1e-6 if hasattr(limit, "lt") else high
    return low, high


def _numbers(
    chance: random.Random, kind: type[int] | type[float], limits: tuple[float, float]
) -> list[float]:
    low, high = limits
    near = [low + step for step in (1, 2, 3) if low + step <= high]
    if kind is int:
        # The largest whole numbers are none as fractions.
        return [int(low), *near, min(int(high), 2**62)]
    return [low, *near, chance.uniform(low, min(high, low + 1)), high]


def _needs_text(info: OptionInfo) -> bool:
    return any(getattr(limit, "min_length", 0) or hasattr(limit, "pattern")
               for limit in info.field.metadata)  # fmt: skip
