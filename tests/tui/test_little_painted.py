"""Over a slow line every byte is waited for: a key paints what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from datasets import write_pictures
from homes import make_draft
from terminal import WIZARD, Terminal

SIZE = (120, 40)
A_FIELD = 4_000
"""Bytes; all of the screen takes 14,000."""
A_COUNT = 9_000


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    write_pictures(home / "pictures", 12)
    draft = make_draft("mika", step="repeats")
    draft.put("model.base", "embedded:demo")
    draft.put("dataset.folder", str(home / "pictures"))
    opened = Terminal(
        (*WIZARD, "--images", "none"), size=SIZE, environment={"COLORTERM": "truecolor"}
    )
    yield opened
    opened.kill()


def bytes_of(terminal: Terminal, keys: str) -> int:
    """How much comes for ``keys``, until nothing more comes."""
    before = len(terminal.written)
    terminal.press(keys)
    terminal.wait_for_quiet(0.6)
    return len(terminal.written) - before


def test_the_next_field_and_a_digit_paint_little(terminal: Terminal) -> None:
    terminal.wait_for("Drafts (1)")
    terminal.press("\t\r")
    terminal.wait_for("How long?")
    terminal.wait_for_quiet(0.6)
    assert 0 < bytes_of(terminal, "\t") < A_FIELD
    assert 0 < bytes_of(terminal, "\t") < A_FIELD
    assert 0 < bytes_of(terminal, "1") < A_COUNT
    assert 0 < bytes_of(terminal, "\x7f") < A_COUNT
