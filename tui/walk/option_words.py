"""How an option is asked, wherever it is asked."""

from __future__ import annotations

from typing import get_args

from ...core.config.option_text import registered
from ...core.config.options import OptionInfo
from ...core.config.values import takes_numbers


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


def placeholder(info: OptionInfo) -> str:
    """What an empty field says; what may stand in it is said by its help."""
    if info.required:
        return "needed"
    if info.default is None:
        return info.absent or "not set"
    return ""
