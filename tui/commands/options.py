"""`lora-wizard options`: explain every key of the TOML."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...core.config import RunConfig
from ...core.config.config_problems import options, suggest
from ...core.config.option_text import (
    allowed_text,
    default_text,
    registered,
    section_help,
    section_title,
)
from ...core.config.options import OptionInfo
from ...core.config.sources import in_names
from ...core.config.toml_values import written
from ...core.errors import WizardError
from ...core.optimizers import registry as optimizers
from ...core.optimizers.base import OptimizerSpec
from ...core.optimizers.settings import ARGUMENTS, argument_infos, with_arguments
from ...core.text import printable
from ..problems import wrapped

_INDENT = " " * 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "key",
        metavar="KEY",
        nargs="?",
        help="a key (training.epochs, or epochs), a section (training), an optimizer (prodigy), "
        "or sd-scripts' name for a key (max_train_epochs); all of them if absent",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print what there is to know of the options asked for."""
    if arguments.key in registered("optimizer.name") and not arguments.json:
        sys.stdout.write(_of_optimizer(optimizers.find(arguments.key)) + "\n\n")
        infos = _own(optimizers.find(arguments.key))
    else:
        infos = _asked_for(arguments.key) if arguments.key else _all()
    if arguments.json:
        sys.stdout.write(json.dumps([_as_json(info) for info in infos], indent=2) + "\n")
        return 0
    section = ""
    for info in infos:
        if info.section not in (section, ARGUMENTS) and len(infos) > 1:
            section = info.section
            sys.stdout.write(f"{section_title(section)}  {section_help(section)}\n\n")
        sys.stdout.write(_in_words(info) + "\n\n")
    return 0


def _asked_for(word: str) -> Sequence[OptionInfo]:
    """The options of a section, those of a key's last part, or the one that sd-scripts calls so."""
    known = options()
    word = word.strip("[]").lower().replace("-", "_")
    if word in known:
        return [known[word]]
    if word in RunConfig.model_fields:
        return [info for info in _all() if info.key.startswith(f"{word}.")]
    if word in registered("optimizer.name"):
        return _own(optimizers.find(word))
    if named := [info for info in _all() if info.key.endswith(f".{word}")]:
        return named
    section, _, name = word.rpartition(".")
    suggestion = suggest(section, name)
    if word in suggestion_names(suggestion.key):
        return [known[suggestion.key]]
    raise WizardError(f'There is no option "{printable(word, limit=60)}"', "", suggestion.remedy)


def _all() -> list[OptionInfo]:
    """Every option, with what only some optimizers have behind the table that it stands in."""
    found = list(options().values())
    at = found.index(options()[ARGUMENTS]) + 1
    own = [info for spec in with_arguments() for info in _own(spec)]
    return [*found[:at], *own, *found[at:]]


def _own(spec: OptimizerSpec) -> list[OptionInfo]:
    """An optimizer's own options."""
    help_of = f"{spec.title} only. "
    return [replace(info, help=help_of + info.help) for info in argument_infos(spec)]


def _of_optimizer(spec: OptimizerSpec) -> str:
    usual = ", ".join(f"{name} {written(value)}" for name, value in spec.usual.items())
    lines = [f'optimizer.name = "{spec.name}"', wrapped(f"{spec.title}. {spec.help}", _INDENT)]
    lines.append(wrapped(f"Usual: {usual}.", _INDENT))
    if spec.package:
        lines.append(wrapped(f"Needs: {spec.package.install}", _INDENT))
    return "\n".join(lines)


def suggestion_names(key: str) -> Sequence[str]:
    """What sd-scripts calls the option ``key``."""
    return options()[key].also.replace(",", " ").split() if key in options() else []


def _in_words(info: OptionInfo) -> str:
    default = "required" if info.required else f"default {default_text(info)}"
    lines = [info.key, wrapped(f"{allowed_text(info)}; {default}", _INDENT)]
    lines.append(wrapped(info.help, _INDENT))
    notes = [f"Advice: {in_names(info.source)}." if info.source else ""]
    notes.append(f"sd-scripts: {info.also}." if info.also else "")
    if any(notes):
        lines.append(wrapped(" ".join(note for note in notes if note), _INDENT))
    return "\n".join(lines)


def _as_json(info: OptionInfo) -> dict[str, Any]:
    return {
        "key": info.key,
        "allowed": info.allowed,
        "choices": list(info.choices) or list(registered(info.key)),
        "required": info.required,
        "default": None if info.required else info.default,
        "unit": info.unit,
        "level": info.level,
        "path": info.path,
        "help": info.help,
        "source": info.source,
        "sd_scripts": info.also,
    }
