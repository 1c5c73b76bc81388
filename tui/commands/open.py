"""`lora-wizard open`, and `lora-wizard` alone: the wizard on the whole screen, or as plain
questions."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import EXIT_FAILED, EXIT_USER_ERROR
from ..terminal.capabilities import CHOICES, Choice

if TYPE_CHECKING:
    from textual.screen import Screen

    from ...core.run.directory import RunDirectory
    from ..walk.draft import Draft


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "toml", metavar="FILE", type=Path, nargs="?", help="a TOML to walk through; Home if absent"
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="plain questions, line by line; also with TERM=dumb or ACCESSIBLE set",
    )
    add_images_argument(parser)
    parser.epilog = "`lora-wizard` alone is the same as `lora-wizard open`."


def add_images_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--images``."""
    parser.add_argument(
        "--images",
        choices=CHOICES,
        default="auto",
        help="how pictures are shown: auto asks the terminal, half draws with characters",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the wizard; without a terminal say what to do instead."""
    if arguments.plain:
        return _ask_plainly(arguments.toml)
    if not on_terminal():
        sys.stderr.write(_WITHOUT_TERMINAL)
        return EXIT_USER_ERROR
    if wants_plain():
        return _ask_plainly(arguments.toml)
    draft: Draft | None = None
    if arguments.toml:
        from ..walk.draft import Draft
        from ..walk.memory import remember_toml

        draft = Draft.of_file(arguments.toml)
        remember_toml(arguments.toml)
    return show(arguments.images, draft=draft)


def on_terminal() -> bool:
    """Whether somebody sits there: keys come in and the screen is seen."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return all(stream is not None and stream.isatty() for stream in streams)


def wants_plain() -> bool:
    """Whether the terminal, or the person, is better served with lines than with a screen."""
    plain = os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return plain or bool(os.environ.get("ACCESSIBLE"))


def show(images: Choice, *, draft: Draft | None = None, run: RunDirectory | None = None) -> int:
    """The wizard on the whole screen, at Home, in the walk through ``draft`` or at the monitor of
    ``run``; returns the exit status."""
    # Collecting garbage amid so many imports takes a tenth of a second and finds none.
    gc.disable()
    from ..app import WizardApp
    from ..farewell import farewell
    from ..lifeline import end_with_terminal, leave_when_told
    from ..terminal.probe import probe

    gc.freeze()
    gc.enable()

    # Asked before the app reads the keys, or the terminal's answer would be taken for some.
    capabilities = probe(images)
    app = WizardApp(_monitor(run) if run else None, draft=draft, capabilities=capabilities)
    end_with_terminal(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    leave_when_told(app.leave)
    app.run()
    if app.crash:
        sys.stderr.write(f"{app.crash}\n")
        return EXIT_FAILED
    sys.stdout.write(farewell(app.left_draft, app.left_run))
    return app.return_code or 0


def _monitor(run: RunDirectory) -> Screen[None]:
    # With Pillow behind it; Home is painted without.
    from ..screens.train import TrainScreen

    return TrainScreen(run)


def _ask_plainly(toml: Path | None) -> int:
    from ..plain.walk import run

    return run(toml)


_WITHOUT_TERMINAL = """\
The wizard asks questions, and there is no terminal to ask them on.
Without one:
  lora-wizard new face --dataset DIR --base MODEL --name NAME
  lora-wizard train NAME.toml
`lora-wizard --plain` asks in plain lines, of a pipe, too.
"""
