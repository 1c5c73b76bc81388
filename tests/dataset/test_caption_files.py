"""Caption files written beside pictures, and what was there before brought back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.dataset.caption_files import (
    CaptionFiles,
    caption_digest,
    caption_file,
    current_caption,
)
from lora_wizard.core.errors import WizardError
from lora_wizard.core.files import WriteError


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CaptionFiles:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "pictures").mkdir()
    return CaptionFiles(tmp_path / "pictures")


@pytest.fixture
def pictures(tmp_path: Path, files: CaptionFiles) -> list[Path]:
    """a has a .txt, b a .caption in cp1252, c nothing, d an empty .txt."""
    folder = tmp_path / "pictures"
    (folder / "a.txt").write_bytes(b"old a\r\nsecond line")
    (folder / "b.caption").write_bytes(b"caf\xe9")
    (folder / "d.txt").write_bytes(b"")
    found = [folder / f"{name}.png" for name in "abcd"]
    for picture in found:
        picture.write_bytes(b"a picture")
    return found


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_mode_writes_what_it_says(files: CaptionFiles, pictures: list[Path]) -> None:
    new = dict.fromkeys(pictures, "new é")
    missing = files.write(new, "all", mode="missing")
    assert [path.name for path in missing.written] == ["c.png", "d.png"]
    files.write(new, "all", mode="append")
    found = content(pictures[0].parent)
    assert found["a.txt"].decode() == "old a second line, new é\n"
    assert found["b.caption"].decode() == "café, new é\n"
    assert found["c.txt"].decode() == "new é, new é\n"
    files.write(new, "all")
    assert {current_caption(picture) for picture in pictures} == {"new é"}
    assert sorted(content(pictures[0].parent)) == [
        *("a.png", "a.txt", "b.caption", "b.png", "c.png", "c.txt", "d.png", "d.txt")
    ]


def test_undo_brings_back_every_byte(files: CaptionFiles, pictures: list[Path]) -> None:
    before = content(pictures[0].parent)
    files.write(dict.fromkeys(pictures, "new"), "all four")
    files.write({pictures[0]: "newer"}, "one")
    assert [(change.title, change.files) for change in files.changes()] == [
        ("one", 1),
        ("all four", 4),
    ]
    assert files.undo(files.changes()[0]).written == {pictures[0]: "new"}
    assert files.undo(files.changes()[0]).written[pictures[1]] == "café"
    assert content(pictures[0].parent) == before
    assert files.changes() == []


def test_undo_leaves_what_was_changed_since(files: CaptionFiles, pictures: list[Path]) -> None:
    change = files.write(dict.fromkeys(pictures, "new"), "all").change
    assert change
    caption_file(pictures[0]).write_text("by another program")
    outcome = files.undo(change)
    assert list(outcome.left) == [pictures[0]]
    assert current_caption(pictures[0]) == "by another program"
    assert current_caption(pictures[1]) == "café"


def test_undone_out_of_turn_a_change_can_still_be_undone_in_turn(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    folder = pictures[0].parent
    before = content(folder)
    first = files.write({pictures[0]: "one", pictures[1]: "one"}, "first").change
    second = files.write({pictures[0]: "two"}, "second").change
    assert first and second
    assert list(files.undo(first).left) == [pictures[0]]
    assert files.changes() == [second, first]
    assert not files.undo(second).left
    assert not files.undo(first).left
    assert content(folder) == before and not files.changes()


def test_a_picture_that_keeps_its_caption_does_not_lose_it_to_another_of_its_file(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    current = current_caption(pictures[0])
    other = pictures[0].with_suffix(".jpg")
    outcome = files.write({pictures[0]: current, other: "of the other"}, "both")
    assert not outcome.written and list(outcome.left) == [other]
    assert current_caption(pictures[0]) == current


def test_a_write_that_breaks_off_can_be_undone(files: CaptionFiles, pictures: list[Path]) -> None:
    before = content(pictures[0].parent)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        files.write(dict.fromkeys(pictures, "new"), "all", progress=stop)
    assert current_caption(pictures[1]) == "new"
    assert current_caption(pictures[2]) == ""
    files.undo(files.changes()[0])
    assert content(pictures[0].parent) == before


def test_the_same_text_touches_nothing(files: CaptionFiles, pictures: list[Path]) -> None:
    before = content(pictures[0].parent)
    outcome = files.write({pictures[0]: "old a second line", pictures[1]: " café "}, "same")
    assert (outcome.written, outcome.change) == ({}, None)
    assert content(pictures[0].parent) == before
    assert files.changes() == []


def test_nothing_is_written_without_a_journal(files: CaptionFiles, pictures: list[Path]) -> None:
    before = content(pictures[0].parent)
    files.journal.folder.parent.mkdir(parents=True)
    files.journal.folder.write_text("in the way")
    with pytest.raises(WriteError):
        files.write({pictures[0]: "new"}, "one")
    assert content(pictures[0].parent) == before


def test_links_and_what_is_no_text_are_left(files: CaptionFiles, pictures: list[Path]) -> None:
    elsewhere = pictures[0].parent.parent / "elsewhere.txt"
    elsewhere.write_text("not ours")
    caption_file(pictures[2]).symlink_to(elsewhere)
    caption_file(pictures[3]).unlink()
    os.mkfifo(caption_file(pictures[3]))
    outcome = files.write(dict.fromkeys(pictures[2:], "new"), "two")
    assert outcome.written == {}
    assert list(outcome.left) == pictures[2:]
    assert elsewhere.read_text() == "not ours"


def test_names_and_texts_that_are_no_unicode(files: CaptionFiles, pictures: list[Path]) -> None:
    picture = pictures[0].with_name(os.fsdecode(b"\xff\xfe.png"))
    picture.write_bytes(b"")
    change = files.write({picture: "lone \udc80\nsurrogate"}, "odd").change
    assert caption_file(picture).read_text() == "lone ? surrogate\n"
    assert change
    files.undo(change)
    assert not caption_file(picture).exists()


def test_a_damaged_journal_is_said(files: CaptionFiles, pictures: list[Path]) -> None:
    change = files.write({pictures[0]: "new"}, "one").change
    assert change
    change.journal.write_text("{")
    assert files.changes() == []
    with pytest.raises(WizardError):
        files.undo(change)


def test_pictures_that_come_along_are_left_alone(files: CaptionFiles) -> None:
    picture = templates_folder() / "demo/pictures/zibbu-01.png"
    before = current_caption(picture)
    outcome = files.write({picture: "another"}, "one")
    assert "comes along" in outcome.left[picture]
    assert current_caption(picture) == before


def test_what_is_typed_while_many_are_written_stays(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    typed = pictures[0].with_name("c.txt")
    new = dict.fromkeys(pictures, "new")

    def type_it(done: int, total: int) -> None:
        typed.write_text("typed")

    outcome = files.write(new, "all", progress=type_it)
    assert outcome.left == {pictures[2]: "its caption was changed meanwhile"}
    assert typed.read_text() == "typed"
    assert outcome.change is not None
    files.undo(outcome.change)
    assert typed.read_text() == "typed"
    assert (pictures[0].parent / "a.txt").read_bytes() == b"old a\r\nsecond line"


def test_what_a_change_made_of_each_file_is_known(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    outcome = files.write(dict.fromkeys(pictures, "new"), "all")
    assert outcome.change is not None
    digests = files.digests(outcome.change)
    assert digests == {picture: caption_digest(picture) for picture in pictures}
    pictures[0].with_suffix(".txt").write_text("another")
    assert caption_digest(pictures[0]) != digests[pictures[0]]
    assert caption_digest(pictures[0].with_name("none.png")) is None


def test_what_could_not_be_read_again_is_not_written(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    before = content(pictures[0].parent)
    outcome = files.write({pictures[0]: "word " * 300_000}, "one")
    assert "too long" in outcome.left[pictures[0]]
    assert content(pictures[0].parent) == before


def test_pictures_that_share_a_file_say_one_thing(
    files: CaptionFiles, pictures: list[Path]
) -> None:
    twin = pictures[2].with_suffix(".jpg")
    same = files.write({pictures[2]: "new", twin: "new"}, "same")
    assert set(same.written) == {pictures[2], twin}
    other = files.write({pictures[2]: "one", twin: "other"}, "other")
    assert "c.png has the same caption file" in other.left[twin]
    assert current_caption(twin) == "one"
    for change in files.changes():
        files.undo(change)
    assert not caption_file(twin).exists()
