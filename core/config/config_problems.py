"""What a validation error means to the person who wrote the TOML."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..errors import Problem
from .options import OptionInfo, walk
from .run_config import RunConfig
from .toml_source import KeyPath

_SHOWN = 60
"""Characters of a value or key that are quoted back."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a TOML."""

    problem: Problem
    path: KeyPath
    """Where it stands; for what is missing, where it would stand."""
    keys: tuple[str, ...]
    """Options whose value is not known because of it."""


@dataclass(frozen=True)
class Suggestion:
    """What was probably meant by a key that does not exist."""

    remedy: str
    key: str = ""


@cache
def options() -> Mapping[str, OptionInfo]:
    """Every option by its key."""
    return {info.key: info for info in walk(RunConfig)}


def explain(error: ValidationError, data: Mapping[str, Any]) -> list[Mistake]:
    """One mistake for each place in ``data`` that ``error`` complains of."""
    found: dict[KeyPath, Mistake] = {}
    for details in error.errors(include_url=False, include_context=False):
        path = _path_in(details, data)
        if not any(path[:end] in found for end in range(1, len(path) + 1)):
            for mistake in _mistakes(details["type"], path, data):
                found[mistake.path] = mistake
    return list(found.values())


def suggest(section: str, name: str) -> Suggestion:
    """What was meant by the key ``name`` in ``section`` (empty: at the top)."""
    word = name.lower().replace("-", "_")
    prefix = f"{section}." if section else ""
    if not section and word in RunConfig.model_fields:
        return Suggestion(f"It is a section: [{word}].")
    if f"{prefix}{word}" in options():
        return Suggestion(f"Did you mean {word}?", f"{prefix}{word}")
    elsewhere = [key for key in options() if key.endswith(f".{word}") and "[]" not in key]
    if elsewhere:
        places = " or ".join(f"[{key.rpartition('.')[0]}]" for key in elsewhere)
        return Suggestion(f"It belongs in {places}.", elsewhere[0])
    if word in _sd_scripts_names():
        key = _sd_scripts_names()[word]
        return Suggestion(f"That is sd-scripts' name; it is {key} here.", key)
    return _close(section, prefix, word)


def without(data: Mapping[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """A copy of ``data`` without the sections' keys that ``paths`` lead to, and with something for
    a base model that is not there."""
    rest = copy.deepcopy(dict(data))
    for path in paths:
        if len(path) == 1:
            rest.pop(str(path[0]), None)
        elif isinstance(section := rest.get(str(path[0])), dict):
            section.pop(path[1], None)
    model = rest.setdefault("model", {})
    if isinstance(model, dict):
        model.setdefault("base", "missing")
    return rest


def dotted(path: Sequence[str | int]) -> str:
    """``dataset.concepts[0].folder`` of ``("dataset", "concepts", 0, "folder")``."""
    text = ""
    for part in path:
        name = part if isinstance(part, int) else short(part)
        text += f"[{name}]" if isinstance(part, int) else f".{name}" if text else f"{name}"
    return text


def key_path(key: str) -> KeyPath:
    """The way back from `dotted`, for keys of options."""
    parts = re.findall(r"[^.\[\]]+", key)
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _path_in(details: ErrorDetails, data: Any) -> KeyPath:
    """The error's place without pydantic's names for the branches of a union."""
    path: list[str | int] = []
    node: Any = data
    for part in details["loc"]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            if details["type"] == "missing":
                path.append(part)
            break
        path.append(part)
    return tuple(path)


def _mistakes(kind: str, path: KeyPath, data: Mapping[str, Any]) -> list[Mistake]:
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return [_unknown(path)]
    option_path: KeyPath = path
    while len(option_path) > 1 and _option_key(option_path) not in options():
        option_path = option_path[:-1]
    info = options().get(_option_key(option_path))
    value = _value(data, option_path)
    if info is None:
        message = "must be a section"
        remedy = f"Write [{dotted(option_path)}] on a line of its own."
    else:
        message = f"must be {info.allowed}, not {in_toml(value)}"
        remedy = _remedy(info, value)
    problem = Problem(message, where=dotted(path), remedy=remedy)
    return [Mistake(problem, path, (dotted(path[:2]),))]


def _missing(path: KeyPath) -> list[Mistake]:
    """The required options of a missing section, or the missing option itself."""
    key = _option_key(path)
    infos = [
        info
        for info in options().values()
        if info.key == key or (info.section == key and info.required)
    ]
    made = []
    for info in infos:
        full = path if info.key == key else (*path, info.key.rpartition(".")[2])
        first_sentence = info.help.partition(". ")[0].removesuffix(".") + "."
        problem = Problem("is required", where=dotted(full), remedy=first_sentence)
        made.append(Mistake(problem, full, (dotted(full[:2]),)))
    return made


def _unknown(path: KeyPath) -> Mistake:
    section = _option_key(path[:-1])
    suggestion = suggest(section, str(path[-1]))
    what = "there is no such key" if len(path) > 1 else "there is no such section or key"
    problem = Problem(what, where=dotted(path), remedy=suggestion.remedy)
    meant = suggestion.key.partition("[]")[0]
    return Mistake(problem, path, tuple(key for key in (dotted(path[:2]), meant) if key))


def _close(section: str, prefix: str, word: str) -> Suggestion:
    here = [
        key.removeprefix(prefix) for key in options() if key.rpartition(".")[0] == section
    ] or list(RunConfig.model_fields)
    if match := difflib.get_close_matches(word, here, n=1, cutoff=0.7):
        return Suggestion(f"Did you mean {match[0]}?", f"{prefix}{match[0]}")
    anywhere = {key.rpartition(".")[2]: key for key in reversed(list(options())) if "[]" not in key}
    names = {**_sd_scripts_names(), **anywhere}
    if match := difflib.get_close_matches(word, names, n=1, cutoff=0.75):
        return Suggestion(f"Did you mean {names[match[0]]}?", names[match[0]])
    topic = f" {section}" if section in RunConfig.model_fields else ""
    return Suggestion(f"`lora-wizard options{topic}` lists what there is.")


@cache
def _sd_scripts_names() -> Mapping[str, str]:
    return {
        name: info.key
        for info in options().values()
        for name in re.split(r"[, ]+", info.also)
        if "_" in name and name.isidentifier()
    }


def _option_key(path: KeyPath) -> str:
    return "".join(
        "[]" if isinstance(part, int) else f".{part}" if index else part
        for index, part in enumerate(path)
    )


def _value(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def in_toml(value: Any) -> str:
    """``value`` as it stands in a TOML, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{short(value)}"'
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "a number as large as that"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        simple = len(value) <= 4 and all(isinstance(item, (int, float, str)) for item in value)
        return f"[{', '.join(in_toml(item) for item in value)}]" if simple else "this list"
    return "a table" if isinstance(value, dict) else "a date or time"


def short(text: str) -> str:
    """``text`` as long as it is quoted back."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _remedy(info: OptionInfo, value: Any) -> str:
    if info.choices and isinstance(value, str):
        words = [str(choice) for choice in info.choices]
        close = difflib.get_close_matches(value.lower(), words, n=1)
        return f'Did you mean "{close[0]}"?' if close else ""
    if "off" in info.choices and value == 0 and not isinstance(value, bool):
        return 'Write "off" to leave it untrained.'
    if isinstance(value, str) and info.annotation is not str and _is_number_or_boolean(value):
        return "Write it without the quotes."
    if isinstance(value, str) and "list" in info.allowed:
        return f'Write it in brackets: ["{short(value)}"].'
    return ""


def _is_number_or_boolean(text: str) -> bool:
    return (
        text in ("true", "false") or re.fullmatch(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", text) is not None
    )
