"""The plain questions about pictures: zips, captions, folders that need mending."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from lora_wizard.tui.walk.draft import drafts
from PIL import Image
from plain_person import is_plain, talk


@pytest.fixture(autouse=True)
def own_home(home: Path) -> Path:
    return home


NEW = [("What do you want to do?", "new"), ("Which preset?", "face")]


def pictures(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(names):
        Image.new("RGB", (512, 512), (20 * at, 90, 40)).save(folder / name)
    return folder


def test_a_zip_is_unpacked_and_its_folder_takes_its_place(home: Path) -> None:
    folder = pictures(home / "holiday", "1.png", "2.png")
    with zipfile.ZipFile(home / "mika.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"holiday/{path.name}")
    talked = talk(
        [*NEW, ("Folder of pictures [", "mika.zip"), ("Unpack it", "y"), ("Trigger words", "q")]
    )
    assert "2 pictures" in talked.text
    assert drafts()[0].value("dataset.folder") == str(home / "mika")
    assert len(list((home / "mika").iterdir())) == 2


def test_a_zip_on_the_command_line_is_offered_at_once(home: Path) -> None:
    folder = pictures(home / "holiday", "1.png")
    with zipfile.ZipFile(home / "mika.zip", "w") as archive:
        archive.write(folder / "1.png", "1.png")
    talk([("Unpack it", ""), ("Trigger words", "q")], toml=home / "mika.zip")
    assert drafts()[0].value("dataset.folder") == str(home / "mika")


def test_a_zip_that_stays_packed_or_is_none_is_asked_for_again(home: Path) -> None:
    (home / "broken.zip").write_bytes(b"no zip at all")
    pictures(home / "holiday", "1.png")
    talked = talk(
        [
            *NEW,
            ("Folder of pictures [", "broken.zip"),
            ("Folder of pictures [", "holiday"),
            ("Trigger words", "q"),
        ]
    )
    assert "broken.zip is no zip file" in " ".join(talked.text.split())
    assert drafts()[0].value("dataset.folder") == "holiday"


def test_captions_are_looked_at_changed_written_and_taken_back(home: Path) -> None:
    folder = pictures(home / "fox", "red fox.png", "IMG_1.png", "IMG_2.png")
    (folder / "IMG_1.txt").write_text("a fox in snow")
    (folder / "IMG_2.txt").write_text("to be emptied")
    talked = talk(
        [
            *NEW,
            ("Folder of pictures [", str(folder)),
            ("Trigger words", "zibbu"),
            ("The captions:", "look"),
            ("Only those without", "n"),
            ("IMG_1.png", "a fox in rain"),
            ("IMG_2.png", "<"),
            ("IMG_1.png", ""),
            ("IMG_2.png", "-"),
            ("red fox.png", "."),
            ("The captions:", "names"),
            ("Write 2 captions?", "y"),
            ("The captions:", "trigger"),
            ("Write 3 captions?", "y"),
            ("The captions:", "undo"),
            ("The captions:", "go on"),
            ("Repeats", "q"),
        ]
    )
    assert is_plain(talked)
    assert "caption: a fox in snow" in talked.text
    assert "trained as: zibbu, a fox in snow" in talked.text
    assert str(folder / "red fox.png") in talked.text
    texts = {path.stem: path.read_text().strip() for path in folder.glob("*.txt")}
    assert texts == {"IMG_1": "a fox in rain", "IMG_2": "fox", "red fox": "red fox"}


def test_what_a_problem_offers_is_a_question(home: Path) -> None:
    pictures(home / "both" / "mika", "1.png")
    pictures(home / "both" / "zibbu", "2.png")
    pictures(home / "both", "3.png")
    (home / "both" / "broken.png").write_bytes(b"no picture")
    talked = talk(
        [
            *NEW,
            ("Folder of pictures [", "both"),
            ("What should be done?", ""),
            ("What should be done?", "1"),
            ("Repeats", "q"),
        ]
    )
    words = " ".join(talked.text.split())
    assert f"{home}/both/broken.png: not a picture" in words
    assert "Done: Leave out broken.png" in words
    assert "Done: Use these 3 folders" in words
    assert words.count("1 picture, 0 captions") == 3  # of each folder, after the change
    assert "\\x0a" not in words
    draft = drafts()[0]
    assert len(draft.value("dataset.concepts")) == 3
    assert draft.value("dataset.exclude")


def test_folders_are_changed_one_by_one(home: Path) -> None:
    pictures(home / "set" / "20_mika", "1.png")
    pictures(home / "set" / "10_hat", "2.png")
    pictures(home / "set" / "5_rest", "3.png")
    talk(
        [
            *NEW,
            ("Folder of pictures [", "set"),
            ("The folders:", "mika"),
            ("mika:", "change"),
            ("Repeats [20]", "0"),
            ("Repeats [20]", "12"),
            ("Name [", ""),
            ("Trigger words [", "mka"),
            ("The folders:", "rest"),
            ("rest:", "leave out"),
            ("The folders:", ""),
            ("What now?", "q"),
        ]
    )
    draft = drafts()[0]
    assert draft.value("dataset.concepts") == [
        {"folder": str(home / "set" / "10_hat"), "repeats": 10, "name": "hat"},
        {
            "folder": str(home / "set" / "20_mika"),
            "repeats": 12,
            "name": "mika",
            "trigger_words": ["mka"],
        },
    ]
    assert not draft.is_set("dataset.repeats")
