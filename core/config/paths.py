"""What a path in a TOML means: relative to the TOML's folder, so that a folder of pictures and its
TOML can be moved together."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import WizardError

EMBEDDED = "embedded:"
"""``embedded:demo`` is the base model that comes along, ``embedded:demo/pictures`` its pictures."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_LONGEST_PART, _LONGEST_PATH = 255, 4095
"""Bytes, on Linux."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def templates_folder() -> Path:
    """Where the installed templates are, and with them all that is embedded."""
    return Path(__file__).parents[1].with_name("templates")


def resolve_path(value: str, folder: Path) -> str:
    """``value`` as an absolute path: ``~`` expanded, ``embedded:`` looked up, anything else
    relative to ``folder``. Environment variables are left alone: a TOML means the same everywhere.

    Raises WizardError when no path can be made of it.
    """
    if value.startswith(EMBEDDED):
        return str(_embedded(value))
    if not value.isprintable():
        raise WizardError("it has control characters in it", "", "Type the path again.")
    try:
        expanded = Path(value).expanduser()
    except RuntimeError as error:
        raise WizardError("there is no such home folder", "", "Write the whole path.") from error
    path = os.path.normpath(folder.absolute() / expanded)
    longest = max(len(os.fsencode(part)) for part in Path(path).parts)
    if longest > _LONGEST_PART or len(os.fsencode(path)) > _LONGEST_PATH:
        raise WizardError("it is longer than any path can be", "", "Type the path again.")
    return path


def resolve_base_model(value: str, folder: Path) -> str:
    """As `resolve_path`, but a hub id that is no folder here stays what it is, and
    ``embedded:NAME`` alone is the base model of NAME."""
    if value.startswith(EMBEDDED) and "/" not in value:
        return resolve_path(f"{value}/base", folder)
    path = resolve_path(value, folder)
    # Unlike Path.exists, this is no error where a folder on the way may not be looked into.
    return value if is_hub_id(value) and not os.path.exists(path) else path  # noqa: PTH110


def is_hub_id(value: str) -> bool:
    """Whether ``value`` has the form ``owner/name``."""
    return _HUB_ID.fullmatch(value) is not None


def _embedded(value: str) -> Path:
    parts = value.removeprefix(EMBEDDED).split("/")
    if not all(_NAME.fullmatch(part) for part in parts):
        raise WizardError(
            "nothing of that name is embedded", "", f"{EMBEDDED}demo is the one that comes along."
        )
    return templates_folder().joinpath(*parts)
