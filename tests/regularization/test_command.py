"""`lora-wizard regularize`, as it is typed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from lora_wizard.core.regularization.start import Work
from lora_wizard.core.run.tasks import task_directory
from lora_wizard.tui.cli import main
from training_runs import draw_pictures

QUICK = ("--steps", "2", "--width", "64", "--height", "64", "--guidance", "2")


@pytest.fixture
def toml(tiny_sd: Path, tmp_path: Path) -> Path:
    draw_pictures(tmp_path / "pictures", 3)
    path = tmp_path / "mika.toml"
    path.write_text(
        f'[model]\nbase = "{tiny_sd}"\nprecision = "fp32"\n\n'
        '[dataset]\nfolder = "pictures"   # mine\nrepeats = 2\nresolution = 32\nbucket_step = 8\n'
    )
    return path


def regularize(*words: str | Path) -> int:
    return main(["regularize", *map(str, words)])


def test_drawn_and_put_into_the_toml(toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, into = toml.read_text(), toml.parent / "pictures-class"
    assert regularize(toml, "--class-word", "cat", "--dry-run") == 0
    told = capsys.readouterr().out
    assert f"{into}/1_cat: 6 pictures to draw" in told and "an epoch uses 6" in told
    assert not into.exists()
    assert regularize(toml, "--class-word", "cat", *QUICK, "--use") == 0
    assert len(list((into / "1_cat").glob("*.png"))) == 6
    after = tomllib.loads(toml.read_text())
    assert after["dataset"]["regularization_folder"] == str(into)
    assert before.replace("\n\n", "\n") in toml.read_text().replace("\n\n", "\n"), "with comments"
    capsys.readouterr()
    assert main(["plan", str(toml)]) == 0
    assert "cat" in capsys.readouterr().out


def test_events_for_programs(toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert regularize(toml, "--class-word", "cat", "--count", "1", *QUICK, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (drawn,) = [event for event in events if event["kind"] == "drawn"]
    assert Path(drawn["path"]).is_file() and drawn["prompt"] == "a photo of a cat"
    assert events[-1]["kind"] == "finished"


def test_each_class_prompt_of_the_concepts(toml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = toml.read_text().replace('folder = "pictures"   # mine\nrepeats = 2\n', "")
    folders = [draw_pictures(toml.parent / name, 2) for name in ("anna", "bert", "rex")]
    prompts = ("a photo of a person", "a photo of a person", "a photo of a dog")
    for folder, prompt in zip(folders, prompts, strict=True):
        text += (
            f'\n[[dataset.concepts]]\nfolder = "{folder}"\nrepeats = 3\nclass_prompt = "{prompt}"\n'
        )
    toml.write_text(text)
    assert regularize(toml, "--into", toml.parent / "class", "--dry-run") == 0
    told = capsys.readouterr().out
    assert "1_a photo of a person: 12 pictures" in told, "once for both"
    assert "1_a photo of a dog: 6 pictures" in told
    assert regularize(toml, "--into", toml.parent / "class", "--class-word", "x", "--dry-run") == 0
    assert "1_x: 18 pictures" in capsys.readouterr().out


def test_everything_that_is_wrong_comes_at_once(
    toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regularize(toml, "--steps", "0", "--guidance", "much") == 2
    told = capsys.readouterr().err
    assert "steps: must be" in told and "guidance: must be" in told and "class_word" in told
    assert regularize(toml, "--class-word", "cat", "--sampler", "eulr") == 2
    assert "euler" in capsys.readouterr().err


def test_a_base_that_cannot_draw_is_said_before_any_work(
    toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml.write_text(toml.read_text().replace("base = ", 'base = "/nowhere/x" #'))
    assert regularize(toml, "--class-word", "cat") == 2
    assert "/nowhere/x" in capsys.readouterr().err
    assert not (toml.parent / "pictures-class").exists()


@pytest.mark.parametrize("asked", ["--watch", "--stop"])
def test_nothing_to_watch_or_stop(
    asked: str, toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regularize(toml, asked) == 2
    assert "No class pictures are being drawn" in capsys.readouterr().err


def test_what_is_typed_to_go_on_with_it_begins_the_same(
    toml: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [toml, "--class-word", "cat", "--count", "2", "--prompt", "a (cat:1.2)", *QUICK]
    assert regularize(*words) == 0
    task = task_directory("regularize", toml.parent / "pictures-class")
    first, command = Work.of(task.values()), task.record().command
    assert command[0] == "lora-wizard" and main(command[1:]) == 0
    assert Work.of(task.values()) == first
