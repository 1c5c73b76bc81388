"""Zips of pictures: what comes out, what never does, and what is said of those that are no use."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from datasets import write_picture
from lora_wizard.core.dataset import archive
from lora_wizard.core.dataset.archive import extract, look_into
from lora_wizard.core.dataset.archive_content import ArchiveError, found_text
from PIL import Image


def jpeg() -> bytes:
    data = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(data, "JPEG")
    return data.getvalue()


def make_zip(path: Path, files: dict[str | zipfile.ZipInfo, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def nothing_left(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_pictures_and_captions_come_into_a_folder_of_its_name(tmp_path: Path) -> None:
    packed = make_zip(
        tmp_path / "mika.zip",
        {
            "mika photos/": b"",
            "mika photos/a.JPG": jpeg(),
            "mika photos/a.txt": b"a woman",
            "mika photos/sub/b.png": jpeg(),
            "mika photos/notes.docx": b"x",
            "mika photos/.DS_Store": b"x",
            "__MACOSX/mika photos/._a.JPG": b"x",
        },
    )
    content = look_into(packed)
    assert (content.pictures, content.captions, content.passed_over) == (2, 1, 3)
    assert found_text(content).startswith("2 pictures, 1 caption, ")
    folder = extract(packed)
    assert folder == tmp_path / "mika"
    assert tree(folder) == ["a.JPG", "a.txt", "sub/b.png"]
    assert (folder / "a.txt").read_bytes() == b"a woman"
    assert extract(packed) == tmp_path / "mika-2"
    assert nothing_left(tmp_path, "mika.zip", "mika", "mika-2")


def test_a_table_of_captions_comes_along(tmp_path: Path) -> None:
    table = b'{"file_name": "a.jpg", "text": "a woman"}\n' * 40_000
    files: dict[str | zipfile.ZipInfo, bytes] = {
        "s/a.jpg": jpeg(),
        "s/metadata.jsonl": table,
        "s/other.jsonl": b"x",
    }
    packed = make_zip(tmp_path / "s.zip", files, compression=zipfile.ZIP_STORED)
    folder = extract(packed)
    assert tree(folder) == ["a.jpg", "metadata.jsonl"]
    assert (folder / "metadata.jsonl").read_bytes() == table


def test_a_folder_that_says_repeats_is_kept(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "p.zip", {"set/10_mika/a.jpg": jpeg(), "set/10_mika/b.jpg": b"x"})
    assert tree(extract(packed)) == ["10_mika/a.jpg", "10_mika/b.jpg"]


def test_nothing_lands_outside_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = make_zip(
        inside / "evil.zip",
        {
            "../up.jpg": b"1",
            "..\\up2.jpg": b"1",
            f"{tmp_path}/absolute.jpg": b"1",
            "C:\\windows.jpg": b"1",
            "a/../../up3.jpg": b"1",
            link: b"/etc/passwd",
            "good.jpg": jpeg(),
        },
    )
    assert len(look_into(packed).left_out) == 6
    assert tree(extract(packed)) == ["good.jpg"]
    assert nothing_left(tmp_path, "inside") and nothing_left(inside, "evil.zip", "evil")


def test_names_are_read_as_they_were_meant_and_never_command(tmp_path: Path) -> None:
    written = zipfile.ZipInfo("xxxxxx.jpg")
    packed = make_zip(tmp_path / "n.zip", {written: jpeg(), "a\x1b[31m\n.jpg": jpeg()})
    # macOS writes UTF-8 without saying so.
    packed.write_bytes(packed.read_bytes().replace(b"xxxxxx.jpg", "größ.jpg".encode()))
    assert tree(extract(packed)) == ["a_[31m_.jpg", "größ.jpg"]


def test_names_that_fall_together_or_are_folders_too_come_once(tmp_path: Path) -> None:
    packed = make_zip(
        tmp_path / "t.zip",
        {"a\x01.jpg": b"1", "a\x02.jpg": b"2", "b.jpg": b"3", "b.jpg/c.jpg": b"4"},
    )
    assert tree(extract(packed)) == ["a_.jpg", "b.jpg/c.jpg"]


@pytest.mark.parametrize("kept", [30, 5_000])
def test_an_upload_under_way_is_told_from_a_stranger(tmp_path: Path, kept: int) -> None:
    whole = make_zip(tmp_path / "u.zip", {f"{n}.jpg": os.urandom(2_000) for n in range(9)})
    whole.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(ArchiveError, match=r"still uploading or was cut off"):
        extract(whole)
    whole.write_bytes(b"Rar!" + os.urandom(100))
    with pytest.raises(ArchiveError, match="no zip file"):
        look_into(whole)
    assert nothing_left(tmp_path, "u.zip")


def test_damage_inside_leaves_nothing(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "d.zip", {"a.jpg": jpeg(), "b.jpg": b"the one that is damaged"})
    packed.write_bytes(packed.read_bytes().replace(b"the one", b"The One"))
    with pytest.raises(ArchiveError, match=r"damaged") as error:
        extract(packed)
    assert "b.jpg" in error.value.message
    assert nothing_left(tmp_path, "d.zip")


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_LZMA])
def test_no_damage_is_anything_but_a_word_on_the_zip(tmp_path: Path, packing: int) -> None:
    whole = make_zip(tmp_path / "w.zip", {"a.jpg": jpeg(), "b.txt": b"b"}, compression=packing)
    data, said = whole.read_bytes(), set[str]()
    listing = data.index(b"PK\x01\x02")
    for place in (*range(30, 60), *range(listing, len(data))):
        for byte in (0x00, 0xFF):
            damaged = tmp_path / "d.zip"
            damaged.write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
            try:
                shutil.rmtree(extract(damaged))
            except ArchiveError as error:
                said.add(error.title)
    assert "d.zip is packed in a way that is not read here" in said
    assert nothing_left(tmp_path, "w.zip", "d.zip")


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = bytes(2_000_000)
    packed = make_zip(
        tmp_path / "b.zip", {"a.jpg": jpeg(), "b.txt": zeros}, compression=zipfile.ZIP_DEFLATED
    )
    assert [name for name, _ in look_into(packed).left_out] == ["b.txt"]
    monkeypatch.setattr(archive, "_SPARE", 10**15)
    with pytest.raises(ArchiveError, match="no room"):
        extract(packed)
    monkeypatch.undo()
    # A size that lies: announced 10 bytes, packed two million.
    lying = make_zip(tmp_path / "l.zip", {"a.png": zeros}, compression=zipfile.ZIP_DEFLATED)
    size = len(zeros).to_bytes(4, "little")
    lying.write_bytes(lying.read_bytes().replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="damaged"):
        extract(lying)
    assert nothing_left(tmp_path, "b.zip", "l.zip")


def test_a_password_is_said(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "my p.zip", {"a.jpg": jpeg()})
    data = bytearray(packed.read_bytes())
    for place in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[place] |= 1
    packed.write_bytes(data)
    with pytest.raises(ArchiveError, match="password") as error:
        look_into(packed)
    assert f"unzip '{packed}' -d '{tmp_path}/my p'" in error.value.remedy


def test_a_zip_without_pictures_and_other_archives(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no pictures"):
        look_into(make_zip(tmp_path / "e.zip", {"a.txt": b"x"}))
    packed = tmp_path / "p.tar.gz"
    packed.write_bytes(b"x")
    with pytest.raises(ArchiveError, match="only zips") as error:
        look_into(packed)
    assert f"tar -xf {packed} -C {tmp_path}/p" in error.value.remedy


def test_progress_tells_and_ends(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "p.zip", {f"{n}.jpg": jpeg() for n in range(4)})
    seen: list[tuple[int, int]] = []
    extract(packed, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4) and seen == sorted(seen)

    class EnoughError(Exception):
        pass

    def enough(done: int, total: int) -> None:
        if done == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        extract(packed, enough)
    assert nothing_left(tmp_path, "p.zip", "p")


_SLOW = """
import sys, time
from pathlib import Path
from lora_wizard.core.dataset.archive import extract
def slow(done, total):
    print(done, flush=True)
    time.sleep(0.2)
extract(Path(sys.argv[1]), slow)
"""


def test_a_kill_leaves_no_dataset_and_the_next_one_clears_up(tmp_path: Path) -> None:
    packed = make_zip(tmp_path / "k.zip", {f"{n}.jpg": jpeg() for n in range(50)})
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(packed)], stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    process.stdout.readline()
    # Another one beside it leaves the living alone.
    assert extract(packed) == tmp_path / "k"
    assert len(list(tmp_path.iterdir())) == 3
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert not (tmp_path / "k-2").exists()
    assert extract(packed) == tmp_path / "k-2"
    assert nothing_left(tmp_path, "k.zip", "k", "k-2")


def test_a_toml_with_a_zip_says_what_to_do(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg")
    packed = make_zip(tmp_path / "mine.zip", {"a.jpg": jpeg()})
    ran = subprocess.run(
        [sys.executable, "-m", "lora_wizard.tui.cli", "new", "face", "--dataset", str(packed)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 2
    assert f"unzip {packed} -d {tmp_path}/mine" in ran.stderr
    assert not (tmp_path / "face.toml").exists()
