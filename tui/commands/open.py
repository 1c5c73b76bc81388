"""`lora-wizard open`, and `lora-wizard` alone: the wizard on the whole screen, or as plain
questions."""

from __future__ import annotations

import argparse
import codecs
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import EXIT_FAILED, EXIT_USER_ERROR
from ...core.places import state_folder
from ..terminal.capabilities import CHOICES, Choice

if TYPE_CHECKING:
    from textual.screen import Screen

    from ...core.run.directory import RunDirectory
    from ..walk.draft import Draft

_LEAST = (40, 12)
"""Columns and rows below which nothing can be seen of a screen."""
_WISHED = "as wished"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "path",
        metavar="PATH",
        type=Path,
        nargs="?",
        help="a TOML, or a folder or zip of pictures, to walk through; Home if absent",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="plain questions, line by line; also with TERM=dumb or ACCESSIBLE set",
    )
    add_images_argument(parser)
    parser.epilog = (
        "`lora-wizard` alone is the same as `lora-wizard open`, and `lora-wizard PATH` as "
        "`lora-wizard open PATH`."
    )


def add_images_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--images``."""
    parser.add_argument(
        "--images",
        choices=CHOICES,
        default="auto",
        help="how pictures are shown. auto: as well as the terminal can, but over SSH only the "
        "picture that is enlarged; kitty (for kitty and Ghostty): by the terminal; sixel: the "
        "picture that is enlarged by the terminal, small ones, which move, with characters; half: "
        "with characters; none: only their names",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the wizard; without a terminal say what to do instead."""
    state_folder()  # there is nothing to open where nothing can be kept
    if arguments.plain:
        return _ask_plainly(arguments.path)
    if not is_asked():
        sys.stderr.write(_WITHOUT_TERMINAL)
        return EXIT_USER_ERROR
    if why := why_plain():
        if why != _WISHED:
            sys.stdout.write(f"{why}\n\n")
        return _ask_plainly(arguments.path)
    draft: Draft | None = None
    if arguments.path:
        from ..walk.opening import opened

        draft = opened(arguments.path)
    return show(arguments.images, draft=draft)


def is_asked() -> bool:
    """Whether somebody sits there: keys come in, and what is said is seen."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))


def why_plain() -> str:
    """Why the terminal, or the person, is better served with lines than with a screen; empty where
    a screen is better."""
    if os.environ.get("TERM", "") in ("", "dumb", "unknown") or os.environ.get("ACCESSIBLE"):
        return _WISHED
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        return "Standard error goes elsewhere, and the screens with it; so it is asked in lines."
    encoding = sys.__stdout__.encoding if sys.__stdout__ else "utf-8"
    if codecs.lookup(encoding).name != "utf-8":
        # Without any locale, Python writes UTF-8 and this is not reached.
        return _WITHOUT_UTF8
    width, height = _window()
    if width and height and (width < _LEAST[0] or height < _LEAST[1]):
        return (
            f"This window is {width}x{height}, too small for the screens; so it is asked in lines."
        )
    return ""


def _window() -> tuple[int, int]:
    """Columns and rows as the terminal itself says; 0 where it does not."""
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except OSError:
        return 0, 0


def show(images: Choice, *, draft: Draft | None = None, run: RunDirectory | None = None) -> int:
    """The wizard on the whole screen, at Home, in the walk through ``draft`` or at the monitor of
    ``run``; returns the exit status."""
    # Collecting garbage amid so many imports takes a tenth of a second and finds none.
    gc.disable()
    if all(_window()):
        # Of the shell, and perhaps of a window that was another size then.
        for stale in ("COLUMNS", "LINES"):
            os.environ.pop(stale, None)
    from ..lean import import_asyncio

    import_asyncio()
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
    sys.stdout.write(farewell(app.left))
    return app.return_code or 0


def _monitor(run: RunDirectory) -> Screen[None]:
    # With Pillow behind it; Home is painted without.
    from ..screens.train import TrainScreen

    return TrainScreen(run)


def _ask_plainly(path: Path | None) -> int:
    from ..plain.walk import run

    return run(path)


_WITHOUT_UTF8 = """\
The locale here is not UTF-8, which the screens need; so it is asked in lines.
`export LANG=C.UTF-8` before it gives the screens."""
_WITHOUT_TERMINAL = """\
The wizard asks questions, and there is no terminal to ask them on.
Without one:
  lora-wizard new face --dataset DIR --base MODEL --name NAME
  lora-wizard train NAME.toml
`lora-wizard --plain` asks in plain lines, of a pipe, too.
"""
