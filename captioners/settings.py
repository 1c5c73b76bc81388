"""A captioner's options as a person or a script gives them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..core.config import values
from ..core.config.config_problems import short
from ..core.config.options import OptionInfo, Section
from ..core.errors import Problem, ProblemsError
from .base import CaptionerSpec


def typed(spec: CaptionerSpec, texts: Mapping[str, str]) -> Section:
    """The options of ``spec`` with ``texts`` by their names, as somebody typed them; the defaults
    for the rest. Raises ProblemsError with everything that is wrong."""
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
        if _is_valid(spec, name, value):
            given[name] = value
        else:
            problems.append(_wrong(known[name], text))
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
