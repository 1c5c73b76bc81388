"""How the pictures come onto this machine, for somebody who has just arrived on it."""

from __future__ import annotations

import os
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Button, Static

from ..walk.guide import STEPS
from ..walk.transfer import PICTURES, address, upload_command
from .text import shown

COPY_KEY = "F6"


class Bring(Vertical):
    """The command that uploads pictures into ``folder``, and the demo's pictures for a try."""

    DEFAULT_CSS = """
    Bring { height: auto; padding: 1 1 0 1; }
    Bring Static { height: auto; }
    Bring .command { padding: 0 0 0 2; text-style: bold; margin: 1 0; }
    Bring Button { margin: 1 0 0 0; }
    """

    def __init__(self, folder: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.command = upload_command(folder)

    def compose(self) -> ComposeResult:
        there = address(os.environ)
        if self.command:
            yield Static(
                "Still on your own computer? Open a second terminal there and run, with your "
                f"folder in place of {PICTURES}:",
                markup=False,
            )
            yield Static(shown(self.command), classes="command", markup=False)
            if there and there.caveat:
                yield Static(shown(there.caveat), markup=False)
            yield Static(
                f"{COPY_KEY} copies the command. When it is through, type the folder's name above.",
                markup=False,
            )
        yield Button(
            "\u25b8 Just try it with the demo's pictures", id="demo-pictures", compact=True
        )
        yield Static(shown(f"\n{STEPS['dataset']}"), classes="guide")
