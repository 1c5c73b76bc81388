"""The groups of weights that an optimizer is given, each with its rate."""

from __future__ import annotations

from collections.abc import Mapping

from ..networks.base import Network
from ..optimizers.base import ParameterGroup

UP = " up"
"""Behind a part's name: the group of its up matrices, where they learn faster (LoRA+)."""


def parameter_groups(
    network: Network, rates: Mapping[str, float], loraplus_ratio: float
) -> list[ParameterGroup]:
    """One group for each part; with a ratio other than 1, another for its up matrices, whose rate
    is that many times the part's (arXiv 2402.12354)."""
    groups: list[ParameterGroup] = []
    for part, rate in rates.items():
        weights = network.parameters_of(part)
        if loraplus_ratio == 1:
            groups.append(ParameterGroup(part, weights, rate))
            continue
        ups = network.up_parameters_of(part)
        is_up = {id(weight) for weight in ups}
        rest = [weight for weight in weights if id(weight) not in is_up]
        groups.append(ParameterGroup(part, rest, rate))
        groups.append(ParameterGroup(part + UP, ups, rate * loraplus_ratio))
    return groups
