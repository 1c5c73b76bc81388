"""What the person set, written into a TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.config import configfile, values
from ...core.config.config_problems import options
from ...core.config.edit import EditError, TomlText
from ...core.errors import Problem
from ...core.secret import holds_secret
from .kept import Kept, Snapshot
from .list_items import item_of, problem_of_item

_TOKENS = (
    "Take it out: tokens come from the environment (HF_TOKEN) or `hf auth login`, and are never "
    "kept in a file."
)
BY_HAND = "Something else stands there: mend the file in an editor."
PERSONAL = (
    "model.base",
    "dataset.folder",
    "dataset.regularization_folder",
    "captions.trigger_words",
    "samples.prompts",
    "output.name",
    "output.folder",
    "output.comment",
)
"""What no preset can know: it never fills these into a TOML of the person's own."""


def problem_of(key: str, value: Any) -> Problem | None:
    """What is wrong with ``value`` as the option ``key``; None stands for an empty field."""
    if holds_secret(str(value)):
        return Problem("looks like an access token", key, remedy=_TOKENS)
    if item := item_of(key):
        return problem_of_item(key, item, value)
    if value is not None:
        return values.problem(key, value)
    return Problem("is not there yet", key) if options()[key].required else None


def with_own(base: str, kept: Kept) -> TomlText:
    """The TOML ``base`` with everything that the person set."""
    toml = TomlText(base)
    for key, value in kept.own.items():
        if key in options():
            write(toml, key, value, comments=not kept.template)
        elif value is None:
            toml.unset(key)
    return toml


def write(toml: TomlText, key: str, value: Any, *, comments: bool) -> Problem | None:
    """Put ``value`` into ``toml``; what is the default and was not there stays out. Without
    ``comments``, the one behind a value that changes goes. Returns why it cannot be."""
    if holds_secret(str(value)):
        return problem_of(key, value)
    was = toml.was(key)
    if was is not None and was == value and not isinstance(value, bool):
        value = was  # 4 typed where 4.0 stood
    if was is None and value == options()[key].default:
        value = None
    try:
        toml.set(key, value)
    except EditError as error:
        return Problem(error.title, key, remedy=error.remedy)
    if not comments:
        # A preset's comment speaks of the preset's value.
        toml.drop_comment(key)
    return None


def absolute_paths(toml: TomlText, snapshot: Snapshot) -> dict[str, str]:
    """By key: what the relative paths in ``toml`` stand for."""
    config = snapshot.read().config
    absolute: Mapping[str, Any] = configfile.flat(config) if config else {}
    found: dict[str, str] = {}
    for key, info in options().items():
        there = toml.get(key) if info.path and "[]" not in key else None
        if not isinstance(there, str) or there.startswith(("/", "~", "embedded:")):
            continue
        if there and absolute.get(key, there) != there:
            found[key] = absolute[key]
    return found
