"""Pictures as they come: good, mended, mangled, hostile."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from datasets import png, png_header, write_picture
from lora_wizard.core.dataset import images, index
from lora_wizard.core.dataset.folders import list_folder
from lora_wizard.core.dataset.images import BadPicture, Picture, scan_pictures, verify_pictures
from lora_wizard.core.dataset.pixels import load_picture
from PIL import ExifTags, Image


@pytest.fixture(autouse=True)
def own_index(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def scan(folder: Path) -> tuple[list[Picture], list[BadPicture]]:
    listing = list_folder(folder)
    return scan_pictures(folder, [f for f in listing.files if images.is_picture_name(f.name)])


def reason_of(path: Path) -> str:
    """Why a picture cannot be used: said by its header, or else by its pixels."""
    good, bad = scan(path.parent)
    (item,) = bad or verify_pictures(good)
    assert item.path == path
    return item.reason


def noise(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    data = random.Random(size[0]).randbytes(size[0] * size[1] * channels)
    return Image.frombytes(mode, size, data)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.png", "a.webp", "a.bmp", "a.avif"])
def test_each_kind_of_picture_is_read(name: str, tmp_path: Path) -> None:
    write_picture(tmp_path / name, (60, 40))
    (picture,), bad = scan(tmp_path)
    assert (picture.width, picture.height, picture.path, bad) == (60, 40, tmp_path / name, [])
    assert verify_pictures([picture]) == []


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_header_and_pixels_agree_on_the_orientation(
    kind: str, orientation: int, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = write_picture(tmp_path / f"a.{kind}", (60, 40), exif=exif)
    (picture,), _ = scan(tmp_path)
    assert (picture.width, picture.height) == ((60, 40) if orientation < 5 else (40, 60))
    assert load_picture(path).size == (picture.width, picture.height)
    assert verify_pictures([picture]) == []


def test_exif_behind_the_pixels_of_a_png_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encoded(noise((60, 40)), "PNG")
    end = png((b"IEND", b""))[8:]
    behind = png((b"eXIf", exif.tobytes()[6:]))[8:]
    path = tmp_path / "a.png"
    path.write_bytes(data.removesuffix(end) + behind + end)
    (picture,), _ = scan(tmp_path)
    assert (picture.width, picture.height) == (40, 60) == load_picture(path).size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "AVIF"])
def test_a_cut_off_picture_is_named(kind: str, tmp_path: Path) -> None:
    data = encoded(noise((200, 150)), kind)
    path = tmp_path / f"a.{'jpg' if kind == 'JPEG' else kind.lower()}"
    path.write_bytes(data[: len(data) * 2 // 3])
    assert reason_of(path)


def test_a_truncated_jpeg_passes_its_header_and_fails_its_pixels(tmp_path: Path) -> None:
    data = encoded(noise((200, 150)), "JPEG")
    (tmp_path / "a.jpg").write_bytes(data[: len(data) * 2 // 3])
    good, bad = scan(tmp_path)
    assert (len(good), bad) == (1, [])
    (found,) = verify_pictures(good)
    assert "cut off" in found.reason


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("a.png", b"", "empty"),
        ("a.png", b"This is not a picture.\n", "not a picture"),
        ("a.jpg", b"<html>404</html>", "not a picture"),
        ("a.png", png(png_header(60_000, 60_000), (b"IDAT", b"x")), "megapixels"),
        ("a.png", png(png_header(10_000, 9_999), (b"IDAT", b"x")), "megapixels"),
        ("a.png", png(png_header(8, 8), (b"IDAT", b"x"), (b"IEND", b"")), ""),
        ("a.png", png(png_header(8, 8), (b"IEND", b"")), ""),
        ("a.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
)
def test_what_is_not_a_picture_is_named_with_its_reason(
    name: str, data: bytes, word: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    assert word in reason_of(tmp_path / name)


def test_a_gif_under_another_name_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(), "GIF"))
    assert "not a picture" in reason_of(tmp_path / "a.png")


def test_only_regular_files_inside_the_folder_are_touched(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_picture(folder / "good.png")
    write_picture(tmp_path / "outside.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "away.png").symlink_to(tmp_path / "outside.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "inside.png").symlink_to("good.png")
    (folder / "up").symlink_to(tmp_path)
    (folder / "again").symlink_to(folder)
    listing = list_folder(folder)
    assert [file.name for file in listing.files] == ["good.png", "inside.png"]
    assert listing.folders == ()
    reasons = {item.path.name: item.reason for item in listing.skipped}
    assert sorted(reasons) == [
        "again", "away.png", "device.png", "gone.png", "loop.png", "pipe.png", "up",
    ]  # fmt: skip
    assert "pipe" in reasons["pipe.png"]
    assert "out of the folder" in reasons["away.png"]
    assert reasons["again"] == reasons["loop.png"] == "a link that leads back to itself"


def test_a_pipe_that_takes_a_file_s_place_does_not_hang(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png")
    good, _ = scan(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert [item.path for item in verify_pictures(good)] == [path]


def test_a_file_that_changed_since_the_scan_is_named(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (60, 40))
    good, _ = scan(tmp_path)
    write_picture(path, (70, 40))
    (found,) = verify_pictures(good)
    assert "changed" in found.reason


def test_the_index_is_believed_only_for_an_unchanged_file(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", (60, 40))
    (before,), _ = scan(tmp_path)
    assert verify_pictures([before]) == []
    # The same name, size and time: its pixels are not looked at again.
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(before.modified_ns, before.modified_ns))
    (same,), _ = scan(tmp_path)
    assert verify_pictures([same]) == []
    os.utime(path, ns=(before.modified_ns + 1, before.modified_ns + 1))
    assert reason_of(path)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: b"[" * 100_000,
        lambda data: data.replace(b"60,40", b"60,-4"),
        lambda data: data.replace(b"60,40", b'60,"x"'),
        lambda data: data.replace(b"60,40", b"60,40,1"),
        lambda data: b"\xff\xfe" + data,
    ],
)
def test_a_corrupt_index_is_made_anew(mangle: Callable[[bytes], bytes], tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", (60, 40))
    before = scan(tmp_path)
    path = index.index_path(tmp_path)
    data = path.read_bytes()
    path.write_bytes(mangle(data))
    assert scan(tmp_path) == before
    assert path.read_bytes() == data


def test_an_index_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    write_picture(tmp_path / "set/a.png")
    (picture,), _ = scan(tmp_path / "set")
    assert verify_pictures([picture]) == []


def test_names_that_are_not_text_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\xff.png")
    write_picture(path)
    first, _ = scan(tmp_path)
    assert [picture.path for picture in first] == [path]
    assert scan(tmp_path)[0] == first


def test_a_stopped_verification_goes_on_where_it_was(tmp_path: Path) -> None:
    for number in range(200):
        write_picture(tmp_path / f"{number}.png", (8, 8))
    good, _ = scan(tmp_path)
    stop, seen = threading.Event(), []

    def stop_soon(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 20:
            stop.set()

    verify_pictures(good, progress=stop_soon, workers=2, stop=stop)
    last = seen[-1][0]
    assert 20 <= last < 200
    again: list[tuple[int, int]] = []
    verify_pictures(good, progress=lambda done, total: again.append((done, total)))
    assert (again[0], again[-1]) == ((last, 200), (200, 200))


def mangled(source: bytes, draw: random.Random) -> bytes:
    """The same with bytes changed, cut off, repeated or left out."""
    data = bytearray(source)
    for _ in range(draw.randint(1, 8)):
        at, length = draw.randrange(len(data)), draw.randint(1, 40)
        way = draw.randrange(4)
        if way == 0:
            data[at : at + length] = draw.randbytes(length)
        elif way == 1:
            del data[at + 1 :]
        elif way == 2:
            data[at:at] = data[at : at + length]
        else:
            del data[at : at + length]
        if not data:
            break
    return bytes(data)


def check_mangled(folder: Path, number: int) -> None:
    """Each mangled picture is either good to the last pixel or named; nothing is raised."""
    draw = random.Random(20)
    sources = [
        (suffix, encoded(picture, kind, **options))
        for picture in (noise((24, 18)), noise((24, 18), "RGBA"), noise((24, 18), "L"))
        for suffix, kind, options in (
            ("png", "PNG", {}),
            ("webp", "WEBP", {"lossless": True}),
            ("bmp", "BMP", {}),
            ("avif", "AVIF", {}),
            ("jpg", "JPEG", {"exif": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"}),
        )
        if kind != "JPEG" or picture.mode != "RGBA"
    ]
    for count in range(number):
        suffix, data = sources[count % len(sources)]
        (folder / f"{count:05}.{suffix}").write_bytes(mangled(data, draw))
    good, bad = scan(folder)
    failed = verify_pictures(good)
    named = {item.path for item in bad + failed}
    assert len(named) == len(bad) + len(failed)
    assert all(item.reason and "\n" not in item.reason for item in bad + failed)
    usable = [picture for picture in good if picture.path not in named]
    assert len(usable) + len(named) == number
    assert usable
    assert named
    for picture in usable:
        assert load_picture(picture.path).size == (picture.width, picture.height)


def test_a_thousand_mangled_pictures(tmp_path: Path) -> None:
    check_mangled(tmp_path, 1000)


@pytest.mark.slow
def test_ten_thousand_mangled_pictures(tmp_path: Path) -> None:
    check_mangled(tmp_path, 10_000)
