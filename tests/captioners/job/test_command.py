"""`lora-wizard caption`, as it is typed."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lora_wizard.core.run import control
from lora_wizard.tui.cli import main

from .conftest import Captioned, text_of

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(pictures: Captioned, capsys: pytest.CaptureFixture[str]) -> Say:
    """Type ``lora-wizard caption`` and more; (exit status, what it says, its complaints)."""

    def typed(*words: object) -> tuple[int, str, str]:
        try:
            status = main(["caption", *map(str, words)])
        except SystemExit as exit:
            status = int(exit.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return typed


def test_without_a_captioner_all_are_listed_with_what_they_lack(
    say: Say, pictures: Captioned
) -> None:
    pictures.draw(1)
    for words in ([], [pictures.folder], ["--list"]):
        status, out, _ = say(*words)
        assert status == 0
        assert "toy  Colours\n  For pictures of one colour." in out
        assert "names  Names of files and folders" in out
    assert not pictures.captions()


def test_the_chosen_captioners_options_are_explained(say: Say) -> None:
    status, out, _ = say("--with", "toy", "--help")
    assert status == 0
    assert "--style VALUE" in out and 'How it says it. (text; "plain")' in out
    assert "--batch-size VALUE" in out
    assert "--style" not in say("--help")[1]
    assert "--style" not in say("--with=names", "--help")[1]


def test_captions_go_by_and_are_written(say: Say, pictures: Captioned) -> None:
    pictures.draw(3)
    pictures.caption(1).write_text("mine")
    status, out, _ = say(pictures.folder, "--with", "toy", "--style", "loud", "--prefix", "mika, ")
    assert status == 0
    loud = [f"mika, {text_of(number, 'loud')}" for number in (0, 2)]
    assert f"00000.png: {loud[0]}\n00002.png: {loud[1]}\n" in out
    assert "2 captions written. 1 picture kept its own.\n" in out
    assert pictures.captions() == {0: loud[0], 1: "mine", 2: loud[1]}
    undo = out.partition("Take it back: ")[2].strip()
    status, out, _ = say(*shlex.split(undo)[2:])
    assert status == 0 and "2 captions as before" in out
    assert pictures.captions() == {1: "mine"}
    status, _, err = say(*shlex.split(undo)[2:])
    assert status == 2 and "nothing to take back" in err


def test_everything_that_is_wrong_is_said_before_anything_begins(
    say: Say, pictures: Captioned
) -> None:
    pictures.draw(1)
    folder = pictures.folder
    status, _, err = say(folder, "--with", "toy", "--batch-size", "0", "--most", "many")
    assert status == 2
    assert "batch_size: must be a whole number from 1 to 256, not 0" in err
    assert "most: must be a whole number, 0 or more, not many" in err
    status, _, err = say(folder, "--with", "toy", "--model", "mine")
    assert status == 2
    assert "Get it: toys download" in err and "pip install paint" in err
    status, _, err = say(folder, "--with", "tou")
    assert status == 2 and 'Did you mean "toy"?' in err
    status, _, err = say(folder.parent / "elsewhere", "--with", "toy")
    assert status == 2 and "There is no folder" in err
    status, _, err = say("--with", "toy")
    assert status == 2 and "Which pictures?" in err
    assert not pictures.directory.exists


def test_a_model_in_a_folder_is_found_by_the_job_too(
    say: Say, pictures: Captioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures.draw(1)
    (pictures.folder.parent / "toys").mkdir()
    monkeypatch.chdir(pictures.folder.parent)
    status, _, err = say("pictures", "--with", "toy", "--model", "toys", "--seconds", "0")
    assert status == 2
    assert f"{pictures.folder.parent / 'toys'} is not here" in err.replace("\n         ", " ")
    status, out, _ = say("pictures", "--with", "toy")
    assert status == 0 and "1 caption written" in out
    assert pictures.directory.values()["dataset"]["folder"] == str(pictures.folder)


def test_a_dry_run_says_what_would_be_done(say: Say, pictures: Captioned) -> None:
    pictures.draw(3)
    pictures.caption(1).write_text("mine")
    command = (pictures.folder, "--with", "toy", "--prefix", "mika, ", "--dry-run")
    status, out, _ = say(*command)
    assert status == 0
    assert "Colours would look at 2 pictures." in out
    assert "1 picture would keep what is there." in out
    assert "would begin: mika, " in out
    status, out, _ = say(*command, "--model", "mine")
    assert status == 2 and "pip install paint" in out
    assert pictures.captions() == {1: "mine"} and not pictures.directory.exists


def test_names_become_captions_without_a_job(say: Say, pictures: Captioned) -> None:
    pictures.draw(1)
    pictures.picture(0).rename(pictures.folder / "red_fox.png")
    beside = pictures.folder / "red_fox.txt"
    names = (pictures.folder, "--with", "names", "--prefix", "mika, ")
    assert "red_fox.png: mika, red fox\n" in say(*names, "--dry-run")[1]
    assert not beside.exists()
    status, out, _ = say(*names)
    assert status == 0 and "1 caption written." in out
    assert beside.read_text() == "mika, red fox\n"
    assert not pictures.directory.exists
    lines = say(*names, "--mode", "overwrite", "--prefix", "", "--json")[1].splitlines()
    found = [json.loads(line) for line in lines]
    assert [(event["kind"], event.get("text")) for event in found] == [
        ("captioned", "red fox"),
        ("captions", None),
    ]
    assert say(pictures.folder, "--undo")[0] == 0
    assert beside.read_text() == "mika, red fox\n"


def test_a_toml_names_pictures_trigger_words_and_what_is_left_out(
    say: Say, pictures: Captioned
) -> None:
    pictures.draw(4)
    outfit = pictures.folder.parent / "outfit"
    outfit.mkdir()
    for number in (2, 3):
        pictures.picture(number).rename(outfit / f"{number}.png")
    toml = pictures.folder.parent / "run.toml"
    toml.write_text(
        '[model]\nbase = "owner/name"\n[captions]\ntrigger_words = ["mika"]\n'
        '[dataset]\nexclude = ["outfit/3.png", "00001.png"]\n'
        '[[dataset.concepts]]\nfolder = "pictures"\n'
        '[[dataset.concepts]]\nfolder = "outfit"\ntrigger_words = ["mika", "red coat"]\n'
    )
    status, _, err = say(toml, "--with", "toy")
    assert (status, err) == (0, "")
    assert pictures.captions() == {0: f"mika, {text_of(0)}"}
    assert (outfit / "2.txt").read_text() == f"mika, red coat, {text_of(2)}\n"
    assert not (outfit / "3.txt").exists()
    assert say(toml, "--undo")[0] == 0
    assert not pictures.captions() and not (outfit / "2.txt").exists()


def test_folders_with_repeats_are_captioned_both(say: Say, pictures: Captioned) -> None:
    pictures.draw(2)
    for number in range(2):
        inside = pictures.folder / f"{number + 3}_mika"
        inside.mkdir()
        pictures.picture(number).rename(inside / "same.png")
    assert say(pictures.folder, "--with", "toy")[0] == 0
    for number in range(2):
        text = (pictures.folder / f"{number + 3}_mika/same.txt").read_text()
        assert text == f"{text_of(number)}\n"


def test_for_programs_the_folder_comes_first_then_the_events(say: Say, pictures: Captioned) -> None:
    pictures.draw(2)
    status, out, _ = say(pictures.folder, "--with", "toy", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert events[0]["kind"] == "run" and Path(events[0]["run"]) == pictures.directory.path
    texts = [event["text"] for event in events if event["kind"] == "captioned"]
    assert texts == [text_of(0), text_of(1)]
    assert events[-1]["kind"] == "finished"


def test_nothing_to_do_is_said_and_no_job_is_started(say: Say, pictures: Captioned) -> None:
    pictures.draw(1)
    pictures.caption(0).write_text("mine")
    status, out, _ = say(pictures.folder, "--with", "toy")
    assert status == 0 and "there is nothing to do" in out
    assert not pictures.directory.exists


def test_a_captioning_that_goes_on_is_watched_stopped_and_gone_on_with(
    say: Say, pictures: Captioned
) -> None:
    pictures.draw(30)
    command = (pictures.folder, "--with", "toy", "--seconds", "0.1")
    status, out, _ = say(*command, "--detach")
    assert status == 0 and f"caption {pictures.folder} --watch" in out
    for words in (command, (pictures.folder, "--undo"), (pictures.folder, "--with", "names")):
        status, _, err = say(*words)
        assert status == 2 and "being captioned already" in err and "--stop" in err
    with waiting_for(lambda: pictures.asked.total() > 1):
        status, out, _ = say(pictures.folder, "--stop")
    again = out.partition("Go on with it: ")[2].strip()
    assert status == 0 and again.startswith("lora-wizard caption ")
    there = len(pictures.captions())
    assert 1 < there < 30
    status, _, err = say(pictures.folder, "--watch")
    assert status == 2 and "not being captioned" in err
    status, out, _ = say(*shlex.split(again)[2:])
    assert status == 0
    assert pictures.captions() == pictures.expected(range(30))
    assert set(pictures.asked.values()) == {1}


def test_ctrl_c_ends_the_watching_only(pictures: Captioned) -> None:
    pictures.draw(20)
    code = "import sys; from lora_wizard.tui.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["caption", str(pictures.folder), "--with", "toy", "--seconds", "0.1"]
    watcher = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with waiting_for(lambda: pictures.asked.total() > 1):
        watcher.send_signal(signal.SIGINT)
    _, err = watcher.communicate(timeout=30)
    assert watcher.returncode == 130
    assert f"lora-wizard caption {pictures.folder} --watch".encode() in err
    assert pictures.directory.is_live()
    assert control.wait(pictures.directory, 30)
    assert pictures.captions() == pictures.expected(range(20))


def test_its_path_is_a_runs_to_whoever_stops_or_watches_but_not_to_resume(
    say: Say, pictures: Captioned, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures.draw(1)
    say(pictures.folder, "--with", "toy")
    path = str(pictures.directory.path)
    assert main(["attach", path]) == 0
    assert main(["resume", path]) == 2
    assert f"lora-wizard caption {pictures.folder} --with toy" in capsys.readouterr().err
    assert main(["stop", path]) == 2
    assert "It has finished" in capsys.readouterr().err
    assert main(["status", "--all"]) == 0
    assert "caption" not in capsys.readouterr().out


def test_pictures_that_are_passed_over_are_told(say: Say, pictures: Captioned) -> None:
    pictures.draw(2)
    inside = pictures.folder / "3_mika"
    inside.mkdir()
    pictures.picture(0).rename(inside / "0.png")
    status, _, err = say(pictures.folder, "--with", "toy")
    assert status == 0 and "1 picture beside the N_name folders" in err


def test_a_failure_is_told_with_how_to_go_on(say: Say, pictures: Captioned) -> None:
    pictures.draw(3)
    status, _, err = say(pictures.folder, "--with", "toy", "--fails-at", "2")
    assert status == 1
    assert "The memory is too small for this captioner" in err
    assert f"Go on with it: lora-wizard caption {pictures.folder} --with toy" in err


def test_what_names_and_captioners_say_commands_no_terminal(say: Say, pictures: Captioned) -> None:
    pictures.draw(1)
    pictures.picture(0).rename(pictures.folder / "\x1b]0;evil\x07.png")
    (pictures.folder / "\x1b[31mbad.png").write_bytes(b"")
    status, out, err = say(pictures.folder, "--with", "toy")
    assert status == 0
    assert "evil" in out and "the file is empty" in out
    assert "\x1b" not in out + err and "\x07" not in out + err


@contextmanager
def waiting_for(condition: Callable[[], object]) -> Iterator[None]:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)
    yield
