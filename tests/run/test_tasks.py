from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from lora_wizard.core.errors import WizardError
from lora_wizard.core.places import state_folder
from lora_wizard.core.run import control
from lora_wizard.core.run.directory import find_run, known_runs
from lora_wizard.core.run.events import EventReader
from lora_wizard.core.run.lock import AlreadyRunningError
from lora_wizard.core.run.status import summary
from lora_wizard.core.run.tasks import TaskDirectory, begin, task_directory
from lora_wizard.tui.cli import main

from .conftest import python, until

JOB = "task_jobs"
LONG = {"count": 100_000}
COMMAND = ("lora-wizard", "count", "my pictures")
BEGIN = """
import sys
from lora_wizard.core.run.lock import AlreadyRunningError
from lora_wizard.core.run.tasks import begin
sys.stdin.read(1)
try:
    begin("count", sys.argv[1], {"count": 100_000, "who": sys.argv[2]}, "task_jobs")
except AlreadyRunningError:
    sys.exit(3)
print(sys.argv[2])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to be counted about; no task about it outlives the test."""
    made = tmp_path / "pictures"
    made.mkdir()
    yield made
    with suppress(WizardError):
        control.kill(task_directory("count", made))


def count(folder: Path, number: int) -> TaskDirectory:
    directory, process = begin("count", folder, {"count": number}, JOB, command=COMMAND)
    assert process.wait() == 0
    return directory


def test_a_task_is_done_in_a_folder_of_the_states(folder: Path) -> None:
    directory = count(folder, 3)
    assert directory.path.parent == state_folder() / "jobs"
    assert directory.path.name.startswith("count-")
    assert (directory.about(), directory.values()) == (folder, {"count": 3})
    assert len((directory.path / "counted").read_text().splitlines()) == 3
    assert summary(directory).state == "finished"
    assert not list(folder.iterdir())


def test_it_is_taken_up_again_with_what_it_holds_and_new_events(folder: Path) -> None:
    count(folder, 3)
    directory = count(folder, 2)
    assert directory.record().attempts == 2
    assert len((directory.path / "counted").read_text().splitlines()) == 5
    events = EventReader(directory.events_path).read()
    assert [event["attempt"] for event in events if event["kind"] == "started"] == [2]
    assert json.loads(directory.task_path.read_text())["values"] == {"count": 2}


def test_a_folder_has_one_directory_whatever_it_is_called(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    names = {task_directory("count", name).path for name in ("link", "pictures/", folder)}
    assert names == {task_directory("count", folder).path}
    assert task_directory("draw", folder).path not in names
    assert task_directory("count", folder.parent).path not in names


def test_it_is_no_run_but_a_run_can_be_asked_for_by_its_path(folder: Path) -> None:
    directory, process = begin("count", folder, LONG, JOB, command=COMMAND)
    assert known_runs() == []
    assert find_run(directory.path).path == directory.path
    control.request(directory, "stop")
    assert process.wait() == 75
    assert summary(directory).state == "stopped"
    with pytest.raises(control.NotLiveError) as caught:
        control.request(directory, "stop")
    assert caught.value.remedy == "Go on with it: lora-wizard count 'my pictures'"


def test_a_task_that_goes_on_is_not_begun_again_and_keeps_its_values(folder: Path) -> None:
    directory, _ = begin("count", folder, LONG, JOB)
    with pytest.raises(AlreadyRunningError) as caught:
        begin("count", folder, {"count": 1}, JOB)
    assert str(directory.path) in caught.value.remedy
    assert directory.values() == LONG
    assert directory.is_live()


def test_of_many_who_begin_at_once_one_does_with_its_own_values(folder: Path) -> None:
    pipe = subprocess.PIPE
    starters = [python(BEGIN, folder, who, stdin=pipe, stdout=pipe, text=True) for who in range(4)]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go")
        starter.stdin.flush()
    ended = [(starter.communicate()[0].strip(), starter.returncode) for starter in starters]
    assert sorted(status for _, status in ended) == [0, 3, 3, 3]
    winner = next(who for who, status in ended if status == 0)
    assert task_directory("count", folder).values()["who"] == winner


def test_a_killed_task_is_told_and_begins_again(folder: Path) -> None:
    directory, process = begin("count", folder, LONG, JOB)
    until((directory.path / "counted").exists)
    control.kill(directory)
    process.wait()
    assert summary(directory).state == "killed"
    count(folder, 1)
    assert summary(directory).state == "finished"


def test_its_status_says_what_begins_it_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory, process = begin("count", folder, LONG, JOB, command=COMMAND)
    until(lambda: (directory.path / "counted").exists())
    control.kill(directory)
    process.wait()
    assert main(["status", str(directory.path)]) == 0
    assert "  go on       lora-wizard count 'my pictures'\n" in capsys.readouterr().out
    assert main(["resume", str(directory.path)]) == 2
    assert "lora-wizard count 'my pictures'" in capsys.readouterr().err


def test_a_damaged_record_keeps_nobody_from_beginning(folder: Path) -> None:
    directory = count(folder, 1)
    directory.record_path.write_text("{")
    assert count(folder, 1).record().outcome == "finished"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"about": 3}'])
def test_a_damaged_task_ends_in_words(folder: Path, text: str) -> None:
    directory = count(folder, 1)
    directory.task_path.write_text(text)
    with pytest.raises(WizardError, match="what was to be done"):
        directory.values()


def test_where_nothing_can_be_written_it_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder.parent / "file"))
    with pytest.raises(WizardError, match="cannot be made") as caught:
        begin("count", folder, LONG, JOB)
    assert "XDG_STATE_HOME" in caught.value.remedy
