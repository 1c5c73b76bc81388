"""What a model has said, kept in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lora_wizard.captioners.job.results import Results, content_of
from lora_wizard.core.dataset.folders import FileEntry, list_folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "pictures/a.png"
    path.parent.mkdir()
    path.write_bytes(b"a picture")
    return path


def touched(picture: Path, times: int) -> Iterator[FileEntry]:
    """The file as it is listed after each time."""
    for time in range(times):
        os.utime(picture, (time, time))
        yield list_folder(picture.parent).files[0]


def test_answers_that_later_ones_repeat_are_left_out_at_a_start(
    picture: Path, tmp_path: Path
) -> None:
    path, content = tmp_path / "results.jsonl", content_of(picture)
    others = Results(path, "other settings")
    (file,) = touched(picture, 1)
    others.add(file, content, "other words")
    results = Results(path, "settings")
    for number, file in enumerate(touched(picture, 1_500)):
        results.add(file, content, f"words {number}")
    results.add(file, "ab" * 16, "another's words")
    with path.open("ab") as lines:
        lines.write(b'{"torn')

    again = Results(path, "settings")
    assert len(path.read_bytes().splitlines()) == 3
    assert again.find(content=content) == "words 1499"
    assert again.find(content="ab" * 16) == "another's words"
    again.add(file, "cd" * 16, "new")
    assert Results(path, "other settings").find(content=content) == "other words"
    assert Results(path, "settings").find(content="cd" * 16) == "new"
    assert Results(path, "settings").find(file=file) == "new"


def test_few_answers_or_such_as_all_count_stay_as_they_are(picture: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    results = Results(path, "settings")
    for number, file in enumerate(touched(picture, 1_500)):
        results.add(file, f"{number:032x}", "words")
    for file in touched(picture, 900):
        results.add(file, content_of(picture), "words")
    Results(path, "settings")
    assert len(path.read_bytes().splitlines()) == 2_400


def test_where_there_is_no_room_to_leave_out_they_stay(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, content = tmp_path / "results.jsonl", content_of(picture)
    results = Results(path, "settings")
    for file in touched(picture, 1_500):
        results.add(file, content, "words")

    def full(descriptor: int, *_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    again = Results(path, "settings")
    assert again.find(file=file) == "words"
    assert len(path.read_bytes().splitlines()) == 1_500
