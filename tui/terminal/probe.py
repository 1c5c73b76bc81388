"""What the terminal can, asked of it once, before the screen begins.

All questions go out in one write. The last one, for the device attributes, is answered by every
terminal, and answers come in order: when its answer is there, what is not answered never will be.
So nothing depends on how long a connection takes, and no late answer is taken for typing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
import tty
from collections.abc import Mapping
from dataclasses import dataclass

from .capabilities import Capabilities, Choice, Pictures

_LONGEST = 2.0
"""Seconds to wait for a terminal that never answers."""
_GRAPHICS = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Kitty's protocol: would a picture of one pixel be taken?"""
_CELL_SIZE = b"\x1b[16t"
_CLEAR_LINE = b"\r\x1b[K"
"""Few terminals print what they do not know; then it does not stay."""
_ATTRIBUTES = b"\x1b[c"

_GRAPHICS_ANSWER = re.compile(rb"\x1b_Gi=31;OK\x1b\\")
_CELL_SIZE_ANSWER = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_ATTRIBUTES_ANSWER = re.compile(rb"\x1b\[\?([\d;]*)c")
_SIXEL_ATTRIBUTE = b"4"

_NOT_THROUGH_TMUX = (
    "tmux lets no pictures of the kitty protocol through, so they are drawn with characters. "
    "`tmux set -p allow-passthrough on` changes that."
)
_NOT_THROUGH_SCREEN = (
    "Pictures of the terminal's own do not get through screen, so they are drawn with characters."
)
_PASSES = ("tmux", "show-options", "-Apv", "allow-passthrough")


@dataclass(frozen=True)
class _Answers:
    has_kitty: bool = False
    has_sixel: bool = False
    cell: tuple[int, int] | None = None
    """(width, height) in pixels."""


def probe(
    choice: Choice = "auto",
    *,
    descriptor: int | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Capabilities:
    """Ask the terminal (of ``descriptor``, by default the controlling one) what it can, and make
    of it and of a person's ``choice`` how to draw.

    Takes a round trip, and two seconds at most. The terminal is left as it was. Without one, the
    answer is made from ``choice`` and the environment alone.
    """
    colours = _colours(environment)
    if choice == "none" or (choice == "auto" and not colours):
        return Capabilities("none", "none", colours=colours)
    answers = _Answers()
    inside = _multiplexer(environment)
    with contextlib.suppress(OSError, termios.error):
        if descriptor is not None:
            answers = _ask(descriptor, not inside)
        else:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                answers = _ask(terminal, not inside)
            finally:
                os.close(terminal)
    pictures, full, remark = _chosen(choice, answers, environment, inside)
    width, height = answers.cell or (Capabilities.cell_width, Capabilities.cell_height)
    through_tmux = inside == "tmux" and full == "kitty"
    return Capabilities(pictures, full, width, height, colours, remark, through_tmux)


def _chosen(
    choice: Choice, answers: _Answers, environment: Mapping[str, str], inside: str
) -> tuple[Pictures, Pictures, str]:
    """(every picture, the one that is asked for, remark)."""
    if choice in ("kitty", "sixel") and inside == "screen":
        return "half", "half", _NOT_THROUGH_SCREEN
    if choice == "kitty" and inside == "tmux" and not _tmux_passes(environment):
        return "half", "half", _NOT_THROUGH_TMUX
    if choice == "sixel":
        return "half", "sixel", ""
    if choice != "auto":
        return choice, choice, ""
    if inside:
        # tmux says what it can itself, whatever the terminal around it can.
        return "half", "half", ""
    # Konsole and WezTerm answer for kitty's protocol, but know no placeholders; they have sixel.
    best: Pictures = "sixel" if answers.has_sixel else "kitty" if answers.has_kitty else "half"
    is_remote = bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))
    return ("kitty" if best == "kitty" and not is_remote else "half"), best, ""


def _multiplexer(environment: Mapping[str, str]) -> str:
    """What stands between the wizard and the terminal: ``tmux``, ``screen`` or nothing."""
    if environment.get("TMUX"):
        return "tmux"
    return "screen" if environment.get("STY") else ""


def _tmux_passes(environment: Mapping[str, str]) -> bool:
    """Whether tmux hands on to the terminal what is meant for it."""
    try:
        asked = subprocess.run(
            _PASSES, env=environment, capture_output=True, timeout=_LONGEST, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return asked.stdout.strip() in (b"on", b"all")


def _ask(terminal: int, ask_for_graphics: bool) -> _Answers:
    """Raises OSError or termios.error where there is no terminal to ask."""
    before = termios.tcgetattr(terminal)
    questions = _CELL_SIZE + _CLEAR_LINE + _ATTRIBUTES
    # tmux takes kitty's question for a new title of its pane.
    if ask_for_graphics:
        questions = _GRAPHICS + questions
    received, is_complete = b"", False
    try:
        tty.setraw(terminal, termios.TCSADRAIN)
        os.write(terminal, questions)
        received, is_complete = _read_answers(terminal)
    finally:
        # What comes too late is thrown away as far as it is there.
        termios.tcsetattr(terminal, termios.TCSADRAIN if is_complete else termios.TCSAFLUSH, before)
    attributes = _ATTRIBUTES_ANSWER.search(received)
    return _Answers(
        has_kitty=_GRAPHICS_ANSWER.search(received) is not None,
        has_sixel=bool(attributes and _SIXEL_ATTRIBUTE in attributes[1].split(b";")[1:]),
        cell=_cell_size(received, terminal),
    )


def _read_answers(terminal: int) -> tuple[bytes, bool]:
    """What was answered, and whether the last answer is among it."""
    received, deadline = b"", time.monotonic() + _LONGEST
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        block = os.read(terminal, 1024)
        if not block:
            break
        received += block
        if _ATTRIBUTES_ANSWER.search(received):
            return received, True
    return received, False


def _cell_size(received: bytes, terminal: int) -> tuple[int, int] | None:
    """(width, height) of a character in pixels, by the terminal's answer or the kernel's."""
    if answer := _CELL_SIZE_ANSWER.search(received):
        height, width = int(answer[1]), int(answer[2])
    else:
        size = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
        rows, columns, all_width, all_height = struct.unpack("HHHH", size)
        if not (rows and columns):
            return None
        width, height = all_width // columns, all_height // rows
    return (width, height) if width and height else None


def _colours(environment: Mapping[str, str]) -> int:
    if environment.get("NO_COLOR"):
        return 0
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 1 << 24
    kind = environment.get("TERM", "")
    return 256 if "256" in kind else 16
