"""`lora-wizard new`: write a TOML from a template."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.config import configfile
from ...core.config.overrides import parse_override
from ...core.config.paths import is_hub_id
from ...core.dataset.archive_words import is_archive, not_a_folder
from ...core.errors import ProblemsError, WizardError
from ...core.files import write_text
from ...core.templates import filled, find
from ...core.text import printable
from ..arguments import add_set_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("template", metavar="TEMPLATE", help="`lora-wizard templates` lists them")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to; NAME.toml here if absent, - to print it"
    )
    parser.add_argument("--dataset", metavar="DIR", help="the folder with the pictures (unpacked)")
    parser.add_argument(
        "--base", metavar="MODEL", help="a .safetensors checkpoint, a folder or a hub id"
    )
    parser.add_argument("--name", metavar="NAME", help="what the LoRA is called")
    add_set_argument(parser)
    parser.add_argument("--force", action="store_true", help="overwrite the file if it is there")
    parser.epilog = (
        "Relative folders mean the same wherever the file goes. `lora-wizard options` explains the "
        "keys."
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the TOML; nothing is written when a value cannot be used."""
    template = find(arguments.template)
    to_stdout = arguments.output == "-"
    path = Path(arguments.output or f"{arguments.name or template.name}.toml")
    if not to_stdout and path.exists() and not arguments.force:
        raise WizardError(
            f"{path} is there already", "", "Name another file with -o, or overwrite: --force"
        )
    folder = Path.cwd() if to_stdout else path.absolute().parent
    values = _values(arguments, folder)
    _check_dataset(str(values.get("dataset.folder", "")))
    text = filled(template, values)
    _check(text, folder)
    if to_stdout:
        sys.stdout.write(text)
        return 0
    write_text(path, text)
    shown = printable(str(path))
    sys.stdout.write(f"{shown}\nWhat is wrong with it: lora-wizard check {shown}\n")
    return 0


def _check_dataset(folder: str) -> None:
    """Raise WizardError for a packed dataset: later it would only be a folder that is a file."""
    if is_archive(Path(folder)):
        raise WizardError("A dataset is a folder", *not_a_folder(Path.cwd() / folder))


def _check(text: str, folder: Path) -> None:
    """Raise ProblemsError when ``text`` cannot be used; without lines, as nobody sees it."""
    try:
        configfile.loads(text, folder)
    except ProblemsError as error:
        problems = [replace(problem, line=None) for problem in error.problems]
        raise ProblemsError("A value cannot be used", problems) from error


def _values(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What the command line says, by key. Paths are given relative to the working folder, and mean
    the same in a TOML elsewhere."""
    named = {
        "model.base": arguments.base,
        "dataset.folder": arguments.dataset,
        "output.name": arguments.name,
    }
    values: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
    problems = []
    for override in arguments.set:
        try:
            key, value = parse_override(override)
            values[key] = value
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError("A value given with --set cannot be used", problems)
    for key, value in values.items():
        if isinstance(value, str) and _is_relative_path(key, value):
            values[key] = value if folder == Path.cwd() else str(Path.cwd() / value)
    return values


def _is_relative_path(key: str, value: str) -> bool:
    if not configfile.is_path(key) or not value or value.startswith(("~", "/", "embedded:")):
        return False
    return not (key == "model.base" and is_hub_id(value) and not Path(value).exists())
