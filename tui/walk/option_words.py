"""How an option is asked, wherever it is asked."""

from __future__ import annotations

from typing import get_args

from ...core.config.option_text import registered
from ...core.config.options import OptionInfo
from ...core.config.values import as_text, takes_numbers
from ...core.optimizers.settings import ARGUMENTS, GENERAL, argument_infos, known


def label_of(info: OptionInfo) -> str:
    """The option's name in words."""
    return info.label


def choices(info: OptionInfo) -> list[str]:
    """The words that may stand there, when nothing else may."""
    if words := registered(info.key):
        return list(words)
    others = takes_numbers(info.annotation) or str in get_args(info.annotation)
    return [] if others else [str(word) for word in info.choices]


def is_list_of_texts(info: OptionInfo) -> bool:
    """Whether several texts may stand there."""
    return list[str] in {info.annotation, *get_args(info.annotation)}


def has_lines(info: OptionInfo) -> bool:
    """Whether it is a list of texts of one line each."""
    return is_list_of_texts(info) and info.separator == "\n"


def suggestions(info: OptionInfo) -> list[str]:
    """The words that may stand there beside numbers or any text."""
    return [] if choices(info) else [str(word) for word in info.choices]


def left_out(info: OptionInfo, optimizer: str) -> str:
    """What an empty field says where that depends on the optimizer that is chosen: its usual value,
    or its own arguments with their defaults."""
    spec = known(optimizer)
    name = info.key.removeprefix("optimizer.")
    if spec is None or name == info.key:
        return placeholder(info)
    if info.key == ARGUMENTS:
        defaults = {
            argument.key.removeprefix(f"{ARGUMENTS}."): argument.default
            for argument in argument_infos(spec)
        }
        return as_text(info, defaults) if defaults else f"{spec.title} has none"
    if name in GENERAL and name not in spec.usual:
        return f"not {spec.title}'s"
    return as_text(info, spec.usual[name]) if name in spec.usual else placeholder(info)


def placeholder(info: OptionInfo) -> str:
    """What an empty field says; what may stand in it is said by its help."""
    if info.required:
        return "needed"
    if info.default is None:
        return info.absent or "not set"
    return ""
