from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job
from lora_wizard.core.run.status import summary
from lora_wizard.tui.cli import main
from lora_wizard.tui.log_file import last_lines_offset

from .conftest import until

Start = Callable[..., subprocess.Popen[bytes]]
Output = pytest.CaptureFixture[str]


def test_status_of_the_latest_run(run: RunDirectory, start: Start, capsys: Output) -> None:
    assert start(steps=12).wait() == 0
    assert main(["status"]) == 0
    words = capsys.readouterr().out
    assert "finished (exit status 0)" in words and "12/12" in words and str(run.path) in words
    assert main(["status", "mika", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["state"], status["step"], status["total"]) == ("finished", 12, 12)


def test_status_of_all_runs_passes_over_a_damaged_one(config: RunConfig, capsys: Output) -> None:
    first, _ = RunDirectory.create(config), RunDirectory.create(config)
    first.record_path.write_text("{")
    first.config_path.unlink()
    assert main(["status", "--all"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("new       mika-2") and captured.out.count("\n") == 1
    assert "record cannot be read" in captured.err
    assert main(["status", "--all", "--json"]) == 0
    assert [status["name"] for status in json.loads(capsys.readouterr().out)] == ["mika-2"]


def test_stop_and_wait(run: RunDirectory, start: Start, capsys: Output) -> None:
    process = start(steps=10_000)
    until(lambda: summary(run).step)
    assert main(["stop", "--wait"]) == 0
    assert process.wait() == 75
    assert "mika: stopped at step" in capsys.readouterr().out


def test_stop_now_and_kill(run: RunDirectory, start: Start) -> None:
    process = start(items=1, pause=600)
    assert main(["stop", "mika", "--now", "--wait"]) == 0
    assert process.wait() == 75
    process = start(items=1, pause=600)
    assert main(["stop", "mika", "--kill", "--wait"]) == 0
    assert summary(run).state == "killed"


def test_save_now(run: RunDirectory, start: Start) -> None:
    start(steps=10_000)
    until(lambda: summary(run).step)
    assert main(["save"]) == 0
    until(lambda: summary(run).last_file)


def test_pause_and_resume(run: RunDirectory, start: Start, capsys: Output) -> None:
    process = start(steps=200)
    until(lambda: summary(run).step)
    assert main(["pause"]) == 0
    until(lambda: summary(run).paused)
    said = capsys.readouterr().out
    assert "lora-wizard resume mika" in said and "lora-wizard stop mika" in said
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert "live, paused" in shown and f"lora-wizard resume {run.path}" in shown
    assert main(["status", "--all"]) == 0
    assert capsys.readouterr().out.startswith("paused ")
    assert main(["resume"]) == 0
    assert "training (200)" in capsys.readouterr().out
    assert process.wait() == 0
    assert run.record().attempts == 1


@pytest.mark.parametrize("command", ["stop", "save", "sample", "pause"])
def test_what_is_not_going_on_is_not_asked(run: RunDirectory, capsys: Output, command: str) -> None:
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert "not going on" in said
    assert f"lora-wizard resume {run.path}" in said
    assert not list(run.control_path.iterdir())


def test_a_finished_run_is_not_resumed_and_a_live_one_neither(
    run: RunDirectory, start: Start, capsys: Output
) -> None:
    assert start(steps=1).wait() == 0
    assert main(["resume"]) == 0
    assert "nothing to resume" in capsys.readouterr().out
    start(steps=10_000)
    assert main(["resume"]) == 2
    assert "already going on" in capsys.readouterr().err
    assert run.record().attempts == 2


def test_without_a_run_there_is_a_word(capsys: Output) -> None:
    for command in ("status", "logs", "stop", "resume"):
        assert main([command]) == 2
    assert capsys.readouterr().err.count("There is no run yet") == 4


def test_logs_are_escaped_and_show_the_last_state_of_bars(
    run: RunDirectory, capsys: Output
) -> None:
    run.log_path.write_bytes(
        b"old\n" + b"\x1b[31mred\x1b]0;owned\x07\xff\n" + b"10%\r 50%\r100%\n" + b"a\tb\nunfinished"
    )
    assert main(["logs", "-n", "4"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "\\x1b[31mred\\x1b]0;owned\\x07\\xff",
        "100%",
        "a       b",
        "unfinished",
    ]


def test_logs_follow_until_the_run_ends(run: RunDirectory, capsys: Output) -> None:
    with Job.hold(run) as job:
        job.log("before")
        watcher = threading.Thread(target=lambda: main(["logs", "-f", "mika"]))
        watcher.start()
        job.log("in between")
    watcher.join()
    out = capsys.readouterr().out
    assert [line.split(" ", 2)[-1] for line in out.splitlines()] == [
        "started",
        "before",
        "in between",
        "finished",
    ]


@given(
    lines=st.lists(st.binary(max_size=40_000).map(lambda line: line.replace(b"\n", b""))),
    count=st.integers(0, 12),
    ended=st.booleans(),
)
def test_the_last_lines_are_found(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], count: int, ended: bool
) -> None:
    path: Path = tmp_path_factory.mktemp("log") / "log"
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path.write_bytes(data)
    split = data.split(b"\n")
    whole = [line + b"\n" for line in split[:-1]] + ([split[-1]] if split[-1] else [])
    expected = b"".join(whole[-count:]) if count else b""
    assert data[last_lines_offset(path, count) :] == expected


def test_whoever_looks_at_an_ended_run_is_told_how_to_go_on(
    run: RunDirectory, start: Start, capsys: Output
) -> None:
    start(fail="user").wait()
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert f"lora-wizard resume {run.path}" in shown.splitlines()[-1]
    assert start(steps=1).wait() == 0
    assert main(["status"]) == 0
    assert "resume" not in capsys.readouterr().out


@pytest.mark.parametrize("words", ["logs -n x", "logs -n -1", "plan --step x"])
def test_an_argument_that_is_no_number(words: str, capsys: Output) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words.split())
    assert "must be a whole number" in capsys.readouterr().err


def test_a_terminal_without_utf_8_ends_no_command(config: RunConfig) -> None:
    named = config.model_copy(update={"output": config.output.model_copy(update={"name": "é"})})
    RunDirectory.create(named)
    command = [sys.executable, "-m", "lora_wizard.tui.cli", "status"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run(command, env=ascii_only, capture_output=True)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.startswith(b"\\xe9\n")
