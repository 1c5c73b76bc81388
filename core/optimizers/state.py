"""An optimizer's memory as tensors and JSON values, so that it is kept without pickle."""

from __future__ import annotations

from typing import Any

import torch

Tensors = dict[str, torch.Tensor]
Scalars = dict[str, Any]


def dump(optimizer: torch.optim.Optimizer) -> tuple[Tensors, Scalars]:
    """(copies of tensors by ``<parameter's index>.<name>``, everything else as JSON values).

    Works for any optimizer that keeps tensors, numbers, words, lists of these, and tables of
    tensors (``<index>.<table>/<name>``); TypeError for others.
    """
    state = optimizer.state_dict()
    tensors: Tensors = {}
    values: dict[str, dict[str, Any]] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{index}.{name}"] = _copy(value)
            elif isinstance(value, dict):
                tensors |= {f"{index}.{name}/{part}": _copy(value[part]) for part in value}
            else:
                values.setdefault(str(index), {})[name] = _plain(name, value)
    groups = [
        {name: _plain(name, value) for name, value in group.items() if name != "params"}
        for group in state["param_groups"]
    ]
    return tensors, {"groups": groups, "state": values}


def restore(optimizer: torch.optim.Optimizer, tensors: Tensors, scalars: Scalars) -> None:
    """Give a newly built optimizer of the same parameters what `dump` kept. ValueError when the
    parameters are not the same in number or shape."""
    fresh = optimizer.state_dict()
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        entries = state.setdefault(int(index), {})
        table, slash, part = name.partition("/")
        if slash:
            entries = entries.setdefault(table, {})
        entries[part if slash else name] = tensor
    for index, values in scalars["state"].items():
        state.setdefault(int(index), {}).update(values)
    if len(scalars["groups"]) != len(fresh["param_groups"]):
        raise ValueError("the optimizer has another number of parameter groups")
    for group, kept in zip(fresh["param_groups"], scalars["groups"], strict=True):
        for name, value in kept.items():
            # JSON has no tuples; optimizers unpack and compare them.
            group[name] = tuple(value) if isinstance(group.get(name), tuple) else value
    _check_shapes(optimizer, state)
    optimizer.load_state_dict({"state": state, "param_groups": fresh["param_groups"]})


def _check_shapes(optimizer: torch.optim.Optimizer, state: dict[int, dict[str, Any]]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, entries in state.items():
        if not 0 <= index < len(parameters):
            raise ValueError(f"the optimizer has no parameter {index}")
        for name, value in entries.items():
            for tensor in value.values() if isinstance(value, dict) else (value,):
                shaped = isinstance(tensor, torch.Tensor) and tensor.ndim > 0
                if shaped and tensor.numel() > parameters[index].numel():
                    raise ValueError(f"{name} of parameter {index} has another shape")


def _copy(tensor: Any) -> torch.Tensor:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"a table of the optimizer holds a {type(tensor).__name__}")
    return tensor.detach().to("cpu", copy=True).contiguous()


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    raise TypeError(f"{name} of the optimizer is a {type(value).__name__}, which is not kept")
