"""Terminals with few colours, none, or no UTF-8: everything is told by something else, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import make_draft
from terminal import WIZARD, Terminal

KINDS = {
    "no colour": {"NO_COLOR": "1"},
    "linux": {"TERM": "linux"},
    "screen": {"TERM": "screen"},
    "mono": {"TERM": "xterm-mono"},
}


@pytest.fixture
def opened(home: Path) -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.kill()


def wizard(opened: list[Terminal], environment: dict[str, str]) -> Terminal:
    command = (*WIZARD, "--images", "none")
    terminal = Terminal(command, environment={"COLORTERM": "", **environment})
    opened.append(terminal)
    return terminal


def row_of(terminal: Terminal, words: str) -> int:
    return next(at for at, line in enumerate(terminal.text.splitlines()) if words in line)


def stands_out(terminal: Terminal, words: str) -> bool:
    """Whether a row is told from others by more than its colours: bold, and light on dark turned
    round."""
    row, plain = row_of(terminal, words), row_of(terminal, "Demo")
    cell, other = terminal.screen.buffer[row][3], terminal.screen.buffer[plain][3]
    return bool(cell.bold) and (cell.reverse or cell.bg != other.bg)


@pytest.mark.parametrize("kind", KINDS)
def test_where_one_is_is_seen_without_colours(
    opened: list[Terminal], kind: str, home: Path
) -> None:
    make_draft("mika", step="output")
    terminal = wizard(opened, KINDS[kind])
    terminal.wait_for("Drafts (1)")
    terminal.wait_for(lambda: stands_out(terminal, "New LoRA"))
    terminal.press("\x1b[B")
    terminal.wait_for(lambda: stands_out(terminal, "Open a TOML"))
    assert not stands_out(terminal, "New LoRA")
    terminal.press("\t\r")
    terminal.wait_for("Step 7/8")
    # The chosen one of several has brackets, the field that has the keys a bold name.
    terminal.wait_for("[default]")
    row = row_of(terminal, "LoRA name")
    terminal.wait_for(lambda: terminal.screen.buffer[row][2].bold)
    assert not terminal.screen.buffer[row + 1][2].bold
    assert b"38;2;" not in terminal.written


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_without_utf_8_the_questions_are_plain_and_the_way_out_is_said(
    opened: list[Terminal], encoding: str
) -> None:
    terminal = wizard(opened, {"PYTHONIOENCODING": encoding})
    terminal.wait_for("export LANG=C.UTF-8")
    terminal.wait_for(": ")
    assert b"\x1b[?1049h" not in terminal.written
    assert terminal.written.isascii()


def test_without_a_locale_it_is_the_whole_wizard(opened: list[Terminal]) -> None:
    terminal = wizard(opened, {"LANG": "C", "LC_ALL": "C"})
    terminal.wait_for("New LoRA")
    terminal.wait_for("▏^p palette")
