"""Commands that take a folder of pictures or a TOML, given something else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from lora_wizard.tui.cli import main
from PIL import Image

COMMANDS = {"tags": [], "look": [], "caption": ["--with", "names"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in folders, not in itself."""
    for name in ("red", "blue"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        Image.new("RGB", (64, 64), name).save(tmp_path / f"pictures/{name}/{name}.png")
    return tmp_path / "pictures"


def said_of(
    command: str, place: Path, capsys: pytest.CaptureFixture[str], *more: str, status: int
) -> str:
    assert main([command, str(place), *COMMANDS[command], *more]) == status
    said = capsys.readouterr()
    return " ".join(f"{said.err}\n{said.out}".split())


@pytest.mark.parametrize("command", COMMANDS)
def test_of_a_folder_it_is_not_talked_as_of_a_toml(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    for place, words in {
        folder: f"To use one, name it: {folder / 'blue'} or {folder / 'red'}",
        folder / "empty": "it is empty",
        folder.parent: f"To use it, name it: {folder}",
        folder / "reed": f"Did you mean {folder / 'red'}?",
        folder / "red/red.png": "is a file",
    }.items():
        said = said_of(command, place, capsys, status=2)
        assert words in said
        assert "dataset" not in said
        assert "TOML" not in said
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    said = said_of(command, folder, capsys, status=0)
    assert "dataset.concepts" not in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_toml_that_is_not_there_is_no_folder(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "TOML file" in said_of(command, tmp_path / "run.toml", capsys, status=2)


@pytest.mark.parametrize("command", COMMANDS)
def test_any_folder_that_can_be_named_is_read(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("run.toml", "$HOME ~ 'x' \"y\" \\", "a\nb"):
        place = tmp_path / name
        place.mkdir()
        Image.new("RGB", (64, 64)).save(place / "a red fox.png")
        said_of(command, place, capsys, status=0)
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    assert "is not UTF-8" in said_of(command, place, capsys, status=2)


def test_captions_in_a_table_are_captions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red = folder / "red"
    (red / "metadata.jsonl").write_text(json.dumps({"file_name": "red.png", "text": "a wall"}))
    Image.new("RGB", (64, 64)).save(red / "black cat.png")
    said = said_of("caption", red, capsys, "--mode", "append", status=0)
    assert "2 captions written" in said
    assert (red / "red.txt").read_text() == "a wall, red\n"
    (red / "red.txt").unlink()
    said = said_of("caption", red, capsys, status=0)
    assert "2 pictures kept their own" in said
    assert not (red / "red.txt").exists()
