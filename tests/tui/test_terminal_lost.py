"""The terminal goes away, or the wizard is ended: it goes at once, and loses no key. On a real
pty."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lora_wizard.tui.walk.draft import drafts
from terminal import WIZARD, Terminal

Open = Callable[..., Terminal]
WITH_A_FOLDER_THAT_HANGS = """
import os, sys
from pathlib import Path
pipe, toml = sys.argv[1:]
scandir = os.scandir
def waiting(folder="."):
    if Path(folder).name == "away":
        Path(pipe).read_bytes()
    return scandir(folder)
os.scandir = waiting
from lora_wizard.tui.cli import main
sys.exit(main([toml]))
"""

WITH_A_MISTAKE = """
import sys
from lora_wizard.tui.cli import main
def mistaken(*arguments):
    secret = "what a variable holds"
    raise RuntimeError("a mistake")
from lora_wizard.tui.screens.home import HomeScreen
HomeScreen.action_new = mistaken
sys.exit(main([]))
"""


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def begin(*words: str, **options: object) -> Terminal:
        terminal = Terminal([*WIZARD, *words], **options)  # pyright: ignore[reportArgumentType]
        opened.append(terminal)
        return terminal

    yield begin
    for terminal in opened:
        terminal.kill()


def into_the_walk(terminal: Terminal) -> None:
    """To the first field of a new draft, with a word typed into it."""
    terminal.wait_for("from a folder of pictures to a LoRA")
    terminal.press("n")
    terminal.wait_for("A face")
    terminal.press("\r")
    terminal.wait_for("Step 1/8")
    terminal.press("zib")
    terminal.wait_for(lambda: any("zib" in draft.text for draft in drafts()))


@pytest.mark.parametrize(
    "options", [{}, {"ignore_hangup": True, "controlling": False}], ids=["signal", "no signal"]
)
def test_a_closed_terminal_ends_the_wizard_and_loses_no_key(
    open_terminal: Open, options: dict[str, bool]
) -> None:
    terminal = open_terminal(**options)
    into_the_walk(terminal)
    before = processor_seconds(terminal.pid)
    terminal.close()
    assert os.waitstatus_to_exitcode(terminal.wait()) == 128 + signal.SIGHUP
    assert terminal.processor_seconds - before < 1, "it span"
    assert "zib" in drafts()[0].text


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_clean(open_terminal: Open, number: signal.Signals) -> None:
    terminal = open_terminal()
    into_the_walk(terminal)
    os.kill(terminal.pid, number)
    terminal.read_to_the_end()
    assert terminal.written.rindex(b"\x1b[?1049l") > terminal.written.rindex(b"\x1b[?1049h")
    assert terminal.written.rindex(b"\x1b[?1000l") > terminal.written.rindex(b"\x1b[?1000h")
    assert "zib" in drafts()[0].text


def test_a_killed_wizard_holds_nothing(open_terminal: Open) -> None:
    terminal = open_terminal()
    into_the_walk(terminal)
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait()
    again = open_terminal()
    again.wait_for("Drafts (1)")
    again.press("\t\r")
    again.wait_for("Step 1/8")
    assert "zib" in again.text
    again.press("\x11")
    again.wait_for("`lora-wizard` continues it")
    assert again.read_to_the_end() == 0


def test_a_second_wizard_takes_the_draft_over(open_terminal: Open) -> None:
    first = open_terminal()
    into_the_walk(first)
    second = open_terminal()
    second.wait_for("Drafts (1)")
    second.press("\t\r")
    second.wait_for("open in another wizard")
    second.press("\r")
    first.read_to_the_end()
    second.wait_for("Step 1/8")
    assert "zib" in second.text


def test_a_folder_that_never_answers_holds_nobody_up(home: Path) -> None:
    pipe, toml = home / "pipe", home / "face.toml"
    os.mkfifo(pipe)
    (home / "away").mkdir()
    toml.write_text('[dataset]\nfolder = "away"\n')
    command = [sys.executable, "-c", WITH_A_FOLDER_THAT_HANGS, str(pipe), str(toml)]
    terminal = Terminal(command)
    writer: list[int] = []

    def is_asked() -> bool:
        # A pipe can only be opened like this while somebody waits for what it brings.
        with contextlib.suppress(OSError):
            writer.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(writer)

    try:
        terminal.wait_for("Step 8/8")
        terminal.wait_for(is_asked)
        before = processor_seconds(terminal.pid)
        terminal.press("\x11")
        assert os.waitstatus_to_exitcode(terminal.wait()) == 0
        assert terminal.processor_seconds - before < 1, "it span"
    finally:
        terminal.kill()
        for descriptor in writer:
            os.close(descriptor)


def test_a_mistake_of_ours_is_told_in_a_few_lines(home: Path) -> None:
    terminal = Terminal([sys.executable, "-c", WITH_A_MISTAKE])
    terminal.wait_for("from a folder of pictures to a LoRA")
    terminal.press("n")
    terminal.read_to_the_end()
    shown = terminal.written.rpartition(b"\x1b[?1049l")[2].decode()
    assert "The wizard has made a mistake" in shown
    assert len(shown.splitlines()) < 8
    assert "what a variable holds" not in shown
    report = next((home / ".local/state/lora-wizard/crashes").iterdir())
    assert str(report) in shown
    assert "Traceback" in report.read_text()
