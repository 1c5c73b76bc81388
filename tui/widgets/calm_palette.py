"""Textual's command palette, as calm as everything here."""

from __future__ import annotations

from textual.app import App
from textual.command import CommandPalette
from textual.widgets import Input


def open_palette(app: App[None]) -> None:
    """Show the palette."""
    if not isinstance(app.screen, CommandPalette):
        app.push_screen(CommandPalette(id="--command-palette"))
        app.call_after_refresh(settle, app)


def settle(app: App[None]) -> None:
    """Keep the cursor of a palette from blinking, as nothing here does."""
    for field in app.screen.query(Input):
        field.cursor_blink = False
