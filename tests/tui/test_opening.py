"""How the wizard is opened from the command line, and what is said where it cannot be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from homes import make_run
from terminal import WIZARD, Terminal


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WIZARD, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        **options,  # pyright: ignore[reportCallIssue, reportArgumentType]
    )


@pytest.mark.parametrize("words", [(), ("open", "run.toml"), ("run.toml",), ("--images", "half")])
def test_without_a_terminal_the_headless_commands_are_told(
    home: Path, words: tuple[str, ...]
) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert "lora-wizard new" in done.stderr
    assert "lora-wizard train" in done.stderr
    assert done.stdout == ""


def test_attach_without_a_terminal_follows_in_lines(home: Path) -> None:
    make_run(home, "mika", "finished", steps=3)
    done = run("attach", "mika")
    assert "Finished" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "There is no such run" in run("attach", "zibbu").stderr


def test_a_file_that_is_no_toml_is_told_before_the_screen_opens(home: Path) -> None:
    Path("bad.toml").write_text("[model]\nbase = mika\n")
    terminal = Terminal([*WIZARD, "open", "bad.toml"])
    try:
        status = terminal.read_to_the_end()
        assert status == 2 << 8
        assert "line 2" in terminal.text
        assert b"\x1b[?1049h" not in terminal.written
    finally:
        terminal.kill()


def test_attach_says_how_to_come_back(home: Path) -> None:
    run_directory = make_run(home, "mika", "stopped", steps=3)
    terminal = Terminal([*WIZARD, "attach"])
    try:
        terminal.wait_for(lambda: b"\x1b[?1049h" in terminal.written)
        terminal.wait_for("mika")
        terminal.press("\x11")
        assert terminal.read_to_the_end() == 0
        assert "lora-wizard attach mika" in terminal.text
        assert run_directory.path.name in terminal.text
    finally:
        terminal.kill()
