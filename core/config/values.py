"""A value as a person types it into one field, and back."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from ..errors import Problem
from .config_problems import explain, key_path
from .options import OptionInfo
from .run_config import RunConfig
from .toml_values import written

UNSET = None
"""What an empty field means where text cannot be empty: the key is left out of the TOML."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?")
_ARGUMENT = re.compile(r"(\w+)\s*=\s*([^\s,]+)[\s,]*")
_SIZE = re.compile(r"(\d+)\s*[xX\u00d7*]\s*(\d+)")


def as_text(info: OptionInfo, value: Any) -> str:
    """``value`` as it stands in the field of its option; empty for what is absent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return written(value).strip("{} ")
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            tables = (
                ", ".join(f"{key} {_one(item)}" for key, item in one.items()) for one in value
            )
            return "; ".join(tables)
        if not value or not isinstance(value[0], str):
            between = " x " if is_size(info) and len(value) == 2 else ", "
            return between.join(map(_one, value))
        text = (f"{info.separator} " if info.separator.strip() else info.separator).join(value)
        # A text with the separator in it is only told apart in a TOML's own form.
        return text if parse(info, text) == value else written(value).replace("\n", "")
    return _one(value)


def takes_numbers(annotation: Any) -> bool:
    """Whether a number may stand there, perhaps beside words."""
    return annotation in (int, float) or any(map(takes_numbers, get_args(annotation)))


def is_table(info: OptionInfo) -> bool:
    """Whether it is a table of simple values."""
    return get_origin(info.annotation) is dict


def is_size(info: OptionInfo) -> bool:
    """Whether it may be a width and a height."""
    return any(str(part) == "list[int]" for part in get_args(info.annotation))


def _one(value: Any) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def parse(info: OptionInfo, text: str) -> Any:
    """The value that ``text`` stands for, or `UNSET`; whether it is allowed, `problem` says."""
    parts = {info.annotation, *get_args(info.annotation)}
    if list[str] in parts:
        if (listed := _listed(text)) is not None:
            return listed
        items = [item.strip() for item in text.split(info.separator)]
        items = [item for item in items if item]
        return UNSET if not items and NoneType in parts else items
    if info.annotation is str:
        return text if text or info.default == "" else UNSET
    text = text.strip()
    if not text:
        return UNSET
    if is_table(info):
        return _table(text)
    if size := _SIZE.fullmatch(text):
        return [int(size[1]), int(size[2])]
    if any(str(part).startswith("list[") for part in parts) and "," in text:
        text = f"[{text.strip('[]')}]"
    if _NUMBER.fullmatch(text) and takes_numbers(info.annotation):
        # As people write numbers, too: .5 and 007 are none in a TOML.
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def _table(text: str) -> Any:
    """A table without its braces; or as sd-scripts has arguments, ``decouple=True d_coef=2``."""
    inside = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    for toml in (inside, _ARGUMENT.sub(_as_item, inside).strip(", ")):
        try:
            return tomllib.loads(f"value = {{ {toml} }}")["value"]
        except (ValueError, RecursionError):
            continue
    return text


def _as_item(found: re.Match[str]) -> str:
    name, value = found.groups()
    return f"{name} = {value.lower() if value in ('True', 'False') else value}, "


def _listed(text: str) -> list[str] | None:
    """The texts of a list in a TOML's own form."""
    if not text.strip().startswith("["):
        return None
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return None
    return value if all(isinstance(item, str) for item in value) else None


def problem(key: str, value: Any) -> Problem | None:
    """What is wrong with ``value`` as the option ``key``, by itself."""
    path = key_path(key)
    data: dict[str, Any] = {"model": {"base": "any"}}
    table: Any = data.setdefault(str(path[0]), {})
    table[path[1]] = value
    try:
        RunConfig.model_validate(data)
    except ValidationError as error:
        return _first(error, data, key)
    return None


def _first(error: ValidationError, data: Mapping[str, Any], key: str) -> Problem | None:
    found = [mistake.problem for mistake in explain(error, data)]
    return next((problem for problem in found if problem.where.startswith(key)), None)
