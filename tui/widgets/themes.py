"""Our colours: blue for where one is and for what goes well, orange for what wants attention, which
nearly everybody can tell apart; and the terminal's own colours where it has only sixteen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.theme import Theme

from ..walk import memory

if TYPE_CHECKING:
    from textual.app import App

DARK = Theme(
    name="lora-wizard",
    primary="#4C9BE8",
    secondary="#8AB8E6",
    accent="#F2A03D",
    warning="#F2A03D",
    error="#FF7A45",
    success="#5FB0F5",
    foreground="#E4E8EE",
    background="#10151C",
    surface="#161D27",
    panel="#1F2935",
    dark=True,
    variables={"footer-key-foreground": "#F2A03D", "border-blurred": "#3A4757"},
)
LIGHT = Theme(
    name="lora-wizard-light",
    primary="#0B5CAD",
    secondary="#2F6FA8",
    accent="#A85400",
    warning="#A85400",
    error="#B23A00",
    success="#0B5CAD",
    foreground="#16202B",
    background="#FBFCFD",
    surface="#F1F4F7",
    panel="#E2E8EF",
    dark=False,
    variables={"footer-key-foreground": "#A85400"},
)
_SIXTEEN = "ansi-dark"


def dress(app: App[object]) -> None:
    """Give ``app`` our themes, the one that was chosen last, and remember the next choice."""
    app.register_theme(DARK)
    app.register_theme(LIGHT)
    chosen = memory.recall().theme
    default = DARK.name if has_many_colours(os.environ) else _SIXTEEN
    app.theme = chosen if chosen in app.available_themes and default != _SIXTEEN else default
    app.theme_changed_signal.subscribe(app, lambda theme: memory.remember_theme(theme.name))


def has_many_colours(environment: Mapping[str, str]) -> bool:
    """Whether the terminal has more than sixteen colours."""
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    term = environment.get("TERM", "")
    return "256color" in term or "direct" in term or term in ("xterm-kitty", "alacritty", "foot")
