"""Our colours: blue for where one is and for what goes well, orange for what wants attention, which
nearly everybody can tell apart; and the terminal's own colours where it has only sixteen."""

from __future__ import annotations

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
FEW_COLOURS = """
OptionList:focus:nocolor > .option-list--option-highlighted,
OptionList:focus:ansi > .option-list--option-highlighted,
Button:focus:nocolor, Button:focus:ansi,
Choice:focus:nocolor, Choice:focus:ansi { text-style: bold reverse; }
CommandPalette SearchIcon { display: none; }
Input:nocolor > .input--selection, Input:ansi > .input--selection { text-style: reverse; }
"""
"""Where one is, told without a colour where there are few or none."""


def dress(app: App[None]) -> None:
    """Give ``app`` our themes, the one that was chosen last, and remember the next choice."""
    app.register_theme(DARK)
    app.register_theme(LIGHT)
    has_many = app.console.color_system in ("256", "truecolor")
    chosen = app.available_themes.get(memory.recall().theme)
    default = DARK if has_many else app.available_themes[_SIXTEEN]
    app.theme = (chosen if chosen and (has_many or chosen.ansi) else default).name
    ours = [app.theme]

    def changed(theme: Theme) -> None:
        begun_with = ours.pop() if ours else ""
        if theme.name != begun_with:
            memory.remember_theme(theme.name)

    app.theme_changed_signal.subscribe(app, changed)
