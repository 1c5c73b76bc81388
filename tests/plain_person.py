"""A person who answers the plain questions, at a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0
MOST_QUESTIONS = 200
CONTROLS = {chr(code) for code in range(32)} - {"\n", "\r"} | {"\x7f", "\u202e", "\u200b"}
"""No word of ours or of a file's has one of these."""
_PROMPT = re.compile(r"(\]|enter): $")
_PROGRAM = """
import sys
from pathlib import Path
from lora_wizard.tui.plain.walk import run
sys.exit(run(*map(Path, sys.argv[1:])))
"""


@dataclass(frozen=True)
class Talked:
    """What came of it."""

    text: str
    """All that the terminal got, the answers' echo too."""
    status: int


def talk(
    answers: Sequence[tuple[str, str]],
    *,
    toml: Path | None = None,
    interrupt_at: str = "",
    patience: float = PATIENCE,
) -> Talked:
    """Answer each question in which the next of ``answers`` (what is in its text, the answer) is
    found, and press enter at all others; at ``interrupt_at`` press Ctrl-C."""
    command = [sys.executable, "-c", _PROGRAM, *([str(toml)] if toml else [])]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        close_fds=True,
    )
    os.close(theirs)
    try:
        text = _converse(ours, list(answers), interrupt_at, process, time.monotonic() + patience)
        return Talked(text, process.wait(timeout=patience))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _converse(
    terminal: int,
    answers: list[tuple[str, str]],
    interrupt_at: str,
    process: subprocess.Popen[bytes],
    deadline: float,
) -> str:
    said, since, questions = b"", 0, 0
    while questions < MOST_QUESTIONS:
        left = deadline - time.monotonic()
        assert left > 0, f"nothing more came; open: {answers}\n{said.decode()[-3000:]}"
        if not select.select([terminal], [], [], left)[0]:
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            return said.decode()
        said += more
        new = said[since:].decode(errors="replace")
        if interrupt_at and interrupt_at in new:
            interrupt_at, since = "", len(said)
            process.send_signal(signal.SIGINT)
        elif _PROMPT.search(new):
            since, questions = len(said), questions + 1
            answer = answers.pop(0)[1] if answers and answers[0][0] in new else ""
            os.write(terminal, f"{answer}\n".encode())
    raise AssertionError(f"it goes round in circles; open: {answers}\n{said.decode()[-3000:]}")


def is_plain(talked: Talked) -> bool:
    """Whether nothing reached the terminal that it could obey."""
    return not CONTROLS & set(talked.text)
