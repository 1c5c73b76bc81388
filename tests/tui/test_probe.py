"""The probe against terminals of many kinds, each a real pty with a slow far end."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from lora_wizard.tui.terminal.capabilities import Capabilities
from lora_wizard.tui.terminal.probe import probe

KITTY = {b"\x1b_G": b"\x1b_Gi=31;OK\x1b\\", b"\x1b[16t": b"\x1b[6;21;9t", b"\x1b[c": b"\x1b[?62c"}
SIXEL = {b"\x1b[16t": b"\x1b[6;16;8t", b"\x1b[c": b"\x1b[?62;4;22c"}
WEZTERM = {**KITTY, b"\x1b[c": b"\x1b[?65;4;6;18;22c"}
REFUSES_GRAPHICS = {**KITTY, b"\x1b_G": b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\"}
ONLY_ATTRIBUTES = {b"\x1b[c": b"\x1b[?1;2c"}
FOUR_IS_NOT_FOURTEEN = {b"\x1b[c": b"\x1b[?4;14;44c"}
SILENT: dict[bytes, bytes] = {}

ASK = """
import dataclasses, fcntl, json, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from lora_wizard.tui.terminal.probe import probe
found = probe(sys.argv[1])
print(json.dumps(dataclasses.asdict(found)), flush=True)
typed = os.read(0, 100)
print(json.dumps(typed.decode()), flush=True)
"""
PLAIN = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """The far end of a pty: answers questions ``delay`` seconds after they came, in their order."""

    def __init__(self, answers: Mapping[bytes, bytes], delay: float) -> None:
        self.answers, self.delay = answers, delay
        self.master, self.slave = pty.openpty()
        self.received = b""
        self.writes = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._stop = threading.Event()
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self.slave)
        os.close(self.master)

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            block = os.read(self.master, 4096)
            self.received += block
            found = sorted(
                (block.index(question), answer)
                for question, answer in self.answers.items()
                if question in block
            )
            for _, answer in found:
                timer = threading.Timer(self.delay, os.write, (self.master, answer))
                timer.start()
                timer.join()
                self.delay = 0.0


def ask(
    answers: Mapping[bytes, bytes], delay: float = 0.0, choice: str = "auto", **environment: str
) -> tuple[dict[str, object], Terminal]:
    """What a program that has the pty for its terminal finds. Fails when what it reads afterwards
    is anything but what is typed then."""
    terminal = Terminal(answers, delay)
    before = termios.tcgetattr(terminal.slave)
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", ASK, choice],
            stdin=terminal.slave,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], **PLAIN, **environment},
        )
        assert child.stdout
        found = json.loads(child.stdout.readline())
        assert termios.tcgetattr(terminal.slave) == before
        os.write(terminal.master, b"x\n")
        assert json.loads(child.stdout.readline()) == "x\n"
        child.wait()
    finally:
        terminal.close()
    return found, terminal


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.25, 0.4])
def test_the_answers_are_right_however_long_they_take(delay: float) -> None:
    found, _ = ask(KITTY, delay)
    assert (found["pictures"], found["full"]) == ("kitty", "kitty")
    assert (found["cell_width"], found["cell_height"]) == (9, 21)


@pytest.mark.parametrize(
    ("answers", "pictures"),
    [
        (KITTY, "kitty"),
        (SIXEL, "sixel"),
        (WEZTERM, "sixel"),
        (REFUSES_GRAPHICS, "half"),
        (ONLY_ATTRIBUTES, "half"),
        (FOUR_IS_NOT_FOURTEEN, "half"),
    ],
)
def test_each_kind_of_terminal_is_recognised(answers: Mapping[bytes, bytes], pictures: str) -> None:
    found = ask(answers)[0]
    assert found["full"] == pictures
    # Sixels are for the one picture that nothing moves or covers.
    assert found["pictures"] == ("half" if pictures == "sixel" else pictures)


def test_a_terminal_that_never_answers_gets_half_blocks() -> None:
    begun = time.monotonic()
    found, _ = ask(SILENT)
    assert found["pictures"] == "half"
    assert time.monotonic() - begun > 2


def test_all_questions_go_out_at_once_and_the_attributes_are_last() -> None:
    _, terminal = ask(KITTY)
    questions = terminal.received.split(b"x")[0]
    assert questions.startswith(b"\x1b_G")
    assert questions.rstrip().endswith(b"\x1b[c")


def test_over_ssh_only_the_picture_that_is_asked_for_is_large() -> None:
    found, _ = ask(KITTY, SSH_CONNECTION="10.0.0.1 5 10.0.0.2 22")
    assert (found["pictures"], found["full"]) == ("half", "kitty")
    assert ask(KITTY, choice="kitty", SSH_CONNECTION="1")[0]["pictures"] == "kitty"


def test_tmux_is_not_asked_for_graphics_which_it_takes_for_a_title() -> None:
    found, terminal = ask(SIXEL, TMUX="/tmp/tmux-0/default,1,0")
    assert b"\x1b_G" not in terminal.received
    assert found["pictures"] == "half"
    assert (found["cell_width"], found["cell_height"]) == (8, 16)
    assert ask(SIXEL, choice="sixel", TMUX="1")[0]["full"] == "sixel"


@pytest.mark.parametrize("choice", ["kitty", "sixel"])
def test_what_does_not_get_through_screen_is_refused_with_a_reason(choice: str) -> None:
    found, _ = ask(SIXEL, choice=choice, STY="1")
    assert (found["pictures"], found["full"]) == ("half", "half")
    assert "screen" in str(found["remark"])


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
@pytest.mark.parametrize("passes", ["on", "off"])
def test_kitty_pictures_get_through_tmux_where_it_lets_them(passes: str, tmp_path: Path) -> None:
    socket = tmp_path / "tmux"

    def tmux(*words: str) -> str:
        command = ["tmux", "-S", str(socket), "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    tmux("new-session", "-d", "cat")
    try:
        tmux("set-option", "-p", "allow-passthrough", passes)
        pane = tmux("display-message", "-p", "#{pane_id}")
        found, _ = ask(SIXEL, choice="kitty", TMUX=f"{socket},1,0", TMUX_PANE=pane)
    finally:
        tmux("kill-server")
    assert found["full"] == found["pictures"] == ("kitty" if passes == "on" else "half")
    assert found["through_tmux"] == (passes == "on")
    assert ("allow-passthrough" in str(found["remark"])) == (passes == "off")


@pytest.mark.parametrize("choice", ["none", "auto"])
def test_nothing_is_asked_where_no_pictures_are_wanted(choice: str) -> None:
    environment = {"TERM": "xterm", **({"NO_COLOR": "1"} if choice == "auto" else {})}
    found = probe(choice, descriptor=-1, environment=environment)  # type: ignore[arg-type]
    assert (found.pictures, found.full) == ("none", "none")


def test_without_a_terminal_the_choice_counts() -> None:
    read, write = os.pipe()
    try:
        assert probe("auto", descriptor=read, environment=PLAIN) == Capabilities()
        assert probe("sixel", descriptor=read, environment=PLAIN).full == "sixel"
    finally:
        os.close(read)
        os.close(write)
