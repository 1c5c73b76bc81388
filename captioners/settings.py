"""A captioner's options as a person or a script gives them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..core.config import values
from ..core.config.config_problems import short
from ..core.config.options import OptionInfo, Section
from ..core.config.paths import resolve_base_model, resolve_path
from ..core.errors import Problem, ProblemsError, WizardError
from .base import CaptionerSpec


def typed(spec: CaptionerSpec, texts: Mapping[str, str], folder: Path) -> Section:
    """The options of ``spec`` with ``texts`` by their names, as somebody typed them who stands in
    ``folder``; the defaults for the rest. Paths are absolute then: a job works elsewhere. Raises
    ProblemsError with everything that is wrong."""
    known = {info.key: info for info in spec.option_infos()}
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for typed_name, text in texts.items():
        name = typed_name.lower().replace("-", "_")
        if name not in known:
            problems.append(_unknown(spec, typed_name, name, list(known)))
            continue
        value = values.parse(known[name], text)
        if value is None:
            continue
        if not _is_valid(spec, name, value):
            problems.append(_wrong(known[name], text))
            continue
        try:
            given[name] = _absolute(known[name], value, folder)
        except WizardError as error:
            problems.append(Problem(error.title, name, remedy=error.remedy))
    if problems:
        raise ProblemsError(f"{spec.title} cannot be told that", problems)
    return checked(spec, given)


def checked(spec: CaptionerSpec, given: Mapping[str, Any]) -> Section:
    """The options of ``spec`` from plain values. Raises ProblemsError."""
    try:
        return spec.options.model_validate(dict(given))
    except ValidationError as error:
        problems = [
            Problem(item["msg"], ".".join(str(part) for part in item["loc"]))
            for item in error.errors(include_url=False, include_context=False)
        ]
        raise ProblemsError(f"{spec.title} cannot be told that", problems) from error


def _absolute(info: OptionInfo, value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or not value:
        return value
    if info.key == "model":
        return resolve_base_model(value, folder)
    return resolve_path(value, folder) if info.path else value


def _is_valid(spec: CaptionerSpec, name: str, value: Any) -> bool:
    try:
        spec.options.model_validate({name: value})
    except ValidationError as error:
        # What is wrong with the whole, `checked` says.
        return all(item["loc"][:1] not in ((name,), ()) for item in error.errors())
    return True


def _wrong(info: OptionInfo, text: str) -> Problem:
    return Problem(f"must be {info.allowed}, not {short(text)}", info.key)


def _unknown(spec: CaptionerSpec, typed_name: str, name: str, known: list[str]) -> Problem:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    remedy = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
    return Problem(f"{spec.title} has no option {short(typed_name)}", remedy=remedy)
