"""`lora-wizard regularize`: draw class pictures with the base model."""

from __future__ import annotations

import argparse
from pathlib import Path

_OWN = ("config", "into", "use", "dry-run", "json", "detach", "watch", "stop", "set", "help")
"""Flags that are not about what is drawn."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    from ...core.config.options import walk
    from ...core.regularization.options import ClassPictureOptions
    from ..arguments import RUN_STATUSES, add_config_arguments
    from ..option_arguments import add_options

    add_config_arguments(parser)
    parser.add_argument(
        "--into",
        type=Path,
        metavar="FOLDER",
        help="where they go, into a folder 1_CLASSWORD; dataset.regularization_folder if absent, "
        "or a folder beside the pictures",
    )
    parser.add_argument(
        "--use", action="store_true", help="when all are there, put the folder into CONFIG"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="for programs: events, one a line")
    parser.add_argument("--detach", action="store_true", help="start it and come back at once")
    later = parser.add_argument_group("afterwards").add_mutually_exclusive_group()
    later.add_argument("--watch", action="store_true", help="watch the drawing that goes on")
    later.add_argument("--stop", action="store_true", help="end it; what was drawn stays")
    add_options(parser.add_argument_group("what is drawn"), walk(ClassPictureOptions), _OWN)
    parser.epilog = (
        "As many are drawn as are missing; typed again, it goes on where it was. Concepts of the "
        "TOML that have a class_prompt are drawn each with its own, unless --class-word is given. "
        f"Ctrl-C stops watching, not the drawing. {RUN_STATUSES}"
    )


def run(arguments: argparse.Namespace) -> int:
    """Watch, stop, foretell, or draw."""
    from ...core.config import configfile
    from ...core.regularization.classes import work_of
    from ...core.regularization.start import default_folder
    from .. import regularizing
    from ..option_arguments import flag, given

    config = configfile.load(arguments.config, arguments.set)
    into = (arguments.into or default_folder(config)).absolute()
    if arguments.watch:
        return regularizing.watch(arguments.config, into, as_json=arguments.json)
    if arguments.stop:
        return regularizing.stop(into)
    texts = given(arguments)
    work = work_of(config, into, texts, Path.cwd())
    regularizing.check(work)
    if not arguments.json:
        regularizing.say(work)
    if arguments.dry_run:
        return 0
    command = ["lora-wizard", "regularize", str(arguments.config.absolute()), "--into", str(into)]
    command += [f"--set={change}" for change in arguments.set]
    command += [f"{flag(name, _OWN)}={text}" for name, text in texts.items()]
    return regularizing.draw(
        work,
        arguments.config,
        command,
        as_json=arguments.json,
        detach=arguments.detach,
        use=arguments.use,
    )
