"""How the wizard is opened from the command line, and what is said where it cannot be."""

from __future__ import annotations

import shlex
import subprocess
import zipfile
from pathlib import Path

import pytest
from homes import held, make_run
from lora_wizard.core.errors import WizardError
from lora_wizard.tui.walk.draft import drafts
from lora_wizard.tui.walk.opening import opened
from monitored_runs import PreparedRun
from PIL import Image
from terminal import WIZARD, Terminal

COMMAND = shlex.join(WIZARD)


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


def typed(shell: str, size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
    """What a person types, at a terminal of their own."""
    return Terminal(["/bin/sh", "-c", shell], size=size, environment=environment)


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"TERM": "dumb"}, ""), ({"ACCESSIBLE": "1"}, ""), ({}, "--plain"), ({"TERM": "unknown"}, "")],
)
def test_who_wants_lines_gets_lines(home: Path, environment: dict[str, str], words: str) -> None:
    terminal = typed(f"{COMMAND} {words}", **environment)
    try:
        terminal.wait_for("Number or word [1]:")
        terminal.press("q\n")
        assert terminal.read_to_the_end() == 0
        assert b"\x1b" not in terminal.written
    finally:
        terminal.kill()


@pytest.mark.parametrize(
    ("redirected", "size", "said"),
    [
        ("2>errors", (80, 24), "Standard error goes elsewhere"),
        ("", (20, 5), "This window is 20x5"),
    ],
)
def test_where_a_screen_cannot_be_seen_it_is_asked_in_lines(
    home: Path, redirected: str, size: tuple[int, int], said: str
) -> None:
    terminal = typed(f"{COMMAND} {redirected}", size)
    try:
        terminal.wait_for(lambda: b"[1]:" in terminal.written)
        assert said.encode() in terminal.written
        terminal.press("q\n")
        assert terminal.read_to_the_end() == 0
        assert b"\x1b" not in terminal.written
    finally:
        terminal.kill()


@pytest.mark.parametrize("redirected", ["</dev/null", "| cat", "</dev/null 2>&1 | cat"])
def test_where_nobody_can_answer_the_headless_commands_are_seen(
    home: Path, redirected: str
) -> None:
    terminal = typed(f"{COMMAND} {redirected}")
    try:
        terminal.read_to_the_end()
        assert "lora-wizard new face --dataset DIR" in terminal.text
        assert b"\x1b" not in terminal.written
    finally:
        terminal.kill()


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"COLUMNS": "7", "LINES": "500"},
        {"COLUMNS": "abc", "LINES": "-1"},
        {"TERM": "vt100"},
    ],
)
def test_home_is_whole_whatever_the_environment_says(
    home: Path, environment: dict[str, str]
) -> None:
    terminal = typed(f"{COMMAND} --images none", **environment)
    try:
        terminal.wait_for("New here? Press d and see everything once; then n for your own.")
        assert "n  New LoRA      from a folder of pictures, step by step" in terminal.text
        terminal.press("\x11")
        assert terminal.read_to_the_end() == 0
    finally:
        terminal.kill()


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_named_on_the_command_line_open_the_walk_with_them(
    home: Path, packed: bool
) -> None:
    folder = home / "holiday"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "1.png")
    with zipfile.ZipFile(home / "holiday.zip", "w") as archive:
        archive.write(folder / "1.png", "1.png")
    for _ in range(2):
        terminal = typed(f"{COMMAND} holiday{'.zip' if packed else ''} --images none")
        try:
            terminal.wait_for("Unpack it" if packed else "1 picture in 1 folder")
            terminal.wait_for("Dataset")
            terminal.press("\x11")
            assert terminal.read_to_the_end() == 0
        finally:
            terminal.kill()
    (draft,) = drafts()
    assert draft.value("dataset.folder") == f"{folder}{'.zip' if packed else ''}"


def test_a_path_that_leads_nowhere_is_told(home: Path) -> None:
    for path in ("./holday", "holday.zip", "holday.toml"):
        terminal = typed(f"{COMMAND} {path}")
        try:
            assert terminal.read_to_the_end() == 2 << 8
            assert "holday" in terminal.text
            assert "no command" not in terminal.text
        finally:
            terminal.kill()
    assert "Did you mean `demo`?" in run("dmo").stderr


def test_a_run_is_no_folder_of_pictures(home: Path) -> None:
    directory = make_run(home, "mika", "stopped", steps=3)
    with pytest.raises(WizardError, match="This is a run"):
        opened(directory.path)


def test_of_several_runs_that_go_on_one_is_chosen(home: Path) -> None:
    mika, zibbu = (make_run(home, name, "running", steps=3) for name in ("mika", "zibbu"))
    make_run(home, "over", "finished", steps=3)
    with held(mika.lock_path):
        terminal = typed(f"{COMMAND} attach --images none")
        try:
            terminal.wait_for("Leave")
            terminal.press("d")
            assert terminal.read_to_the_end() == 0
            assert "mika goes on without this window." in terminal.text
        finally:
            terminal.kill()
        with held(zibbu.lock_path):
            refused = run("attach")
            assert refused.returncode == 2
            assert "lora-wizard attach mika" in refused.stderr
            assert "lora-wizard attach zibbu" in refused.stderr
            terminal = typed(f"{COMMAND} attach --images none")
            try:
                terminal.wait_for("step 3 of 1,000")
                terminal.press("mika\n")
                terminal.wait_for("Leave")
                assert "mika  ► start" in terminal.text
                terminal.press("d")
                assert terminal.read_to_the_end() == 0
                assert "mika goes on without this window." in terminal.text
            finally:
                terminal.kill()


def test_two_terminals_watch_the_same_run(home: Path) -> None:
    prepared = PreparedRun(home)
    prepared.train(1, 120)
    with prepared.live():
        terminals = [typed(f"{COMMAND} attach mika --images none") for _ in range(2)]
        try:
            for terminal in terminals:
                terminal.wait_for("step 120/1,200")
            prepared.train(121, 130)
            for terminal in terminals:
                terminal.wait_for("step 130/1,200")
            terminals[0].press("d")
            assert terminals[0].read_to_the_end() == 0
            prepared.train(131, 140)
            terminals[1].wait_for("step 140/1,200")
            terminals[1].press("d")
            assert terminals[1].read_to_the_end() == 0
        finally:
            for terminal in terminals:
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
