"""The options of one section by itself, as a person or a script gives them: a captioner's, those of
class pictures."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ..errors import Problem, ProblemsError, WizardError
from . import values
from .config_problems import short
from .options import OptionInfo, Section, walk
from .paths import resolve_base_model, resolve_path

_Section = TypeVar("_Section", bound=Section)


def typed(options: type[_Section], texts: Mapping[str, str], title: str, folder: Path) -> _Section:
    """``options`` with ``texts`` by their names, as somebody typed them who stands in ``folder``;
    the defaults for the rest. Paths are absolute then: a job works elsewhere. ``title`` is what has
    the options, for messages. Raises ProblemsError with everything that is wrong."""
    known = {info.key: info for info in walk(options)}
    given: dict[str, Any] = {}
    problems: list[Problem] = []
    for typed_name, text in texts.items():
        name = typed_name.lower().replace("-", "_")
        if name not in known:
            problems.append(_unknown(title, typed_name, name, list(known)))
            continue
        value = values.parse(known[name], text)
        if value is None:
            continue
        if not _is_valid(options, name, value):
            problems.append(_wrong(known[name], text))
            continue
        try:
            given[name] = _absolute(known[name], value, folder)
        except WizardError as error:
            problems.append(Problem(error.title, name, remedy=error.remedy))
    missing = [info for info in known.values() if info.required and info.key not in given]
    wrong = {problem.where for problem in problems}
    problems += [
        Problem("is required", info.key, remedy=info.help)
        for info in missing
        if info.key not in wrong
    ]
    if problems:
        raise ProblemsError(_cannot(title), problems)
    return checked(options, given, title)


def checked(options: type[_Section], given: Mapping[str, Any], title: str) -> _Section:
    """``options`` from plain values. Raises ProblemsError."""
    try:
        return options.model_validate(dict(given))
    except ValidationError as error:
        problems = [
            Problem(item["msg"], ".".join(str(part) for part in item["loc"]))
            for item in error.errors(include_url=False, include_context=False)
        ]
        raise ProblemsError(_cannot(title), problems) from error


def _cannot(title: str) -> str:
    return f"{title} cannot be told that"


def _absolute(info: OptionInfo, value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or not value:
        return value
    if info.key == "model":
        return resolve_base_model(value, folder)
    return resolve_path(value, folder) if info.path else value


def _is_valid(options: type[Section], name: str, value: Any) -> bool:
    try:
        options.model_validate({name: value})
    except ValidationError as error:
        # What is wrong with the whole, `checked` says.
        return all(item["loc"][:1] != (name,) for item in error.errors())
    return True


def _wrong(info: OptionInfo, text: str) -> Problem:
    return Problem(f"must be {info.allowed}, not {short(text)}", info.key)


def _unknown(title: str, typed_name: str, name: str, known: list[str]) -> Problem:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    remedy = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
    return Problem(f"{title} has no option {short(typed_name)}", remedy=remedy)
