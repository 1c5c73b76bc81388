"""What is known of the terminal that the screens are drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Pictures = Literal["kitty", "sixel", "half", "none"]
"""How pictures are drawn: by the terminal itself (``kitty``, ``sixel``), two pixels a character
(``half``), or not at all. Sixels stand where they were painted, whatever is scrolled or laid over
them afterwards, so they are for the picture that has the screen to itself."""
Choice = Literal["auto", "kitty", "sixel", "half", "none"]
"""What a person may ask for."""
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True)
class Capabilities:
    """A terminal. The defaults are what nearly every terminal can."""

    pictures: Pictures = "half"
    """For what every screen shows; never ``sixel``."""
    full: Pictures = "half"
    """For the one picture that a person asks to see large: the best that the terminal has, also
    where it is too slow for every screen."""
    cell_width: int = 10
    """Of a character, in pixels."""
    cell_height: int = 20
    colours: int = 1 << 24
    """How many; 0 where none are wanted."""
    remark: str = ""
    """Why pictures are drawn otherwise than a person asked, in a sentence."""
    through_tmux: bool = False
    """Whether kitty's commands have to be handed on by tmux."""
