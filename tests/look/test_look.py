"""Copies, blur, light and bars are found in pictures of known making, and in no others."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import SPEC
from hostile import NAMES
from lora_wizard.core.config import DatasetOptions, configfile
from lora_wizard.core.errors import ProblemsError
from lora_wizard.core.look import examine as examining
from lora_wizard.core.look import pattern
from lora_wizard.core.look.examine import CancelledError, examine
from lora_wizard.core.look.finding import Finding
from lora_wizard.core.look.measure import measure, sharpness_of
from lora_wizard.core.look.pattern import ALIKE, BITS, Pattern, alike, pattern_of
from lora_wizard.core.look.pictures import pictures_of
from lora_wizard.tui.cli import main
from photographs import photograph
from PIL import Image, ImageEnhance, ImageFilter, ImageOps


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures that have nothing in common."""
    folder = tmp_path / "set"
    folder.mkdir()
    for seed in range(4):
        photograph(seed).save(folder / f"{seed}.png")
    return folder


def look(folder: Path) -> list[Finding]:
    return examine(pictures_of(DatasetOptions(folder=str(folder)), SPEC))


def of_kind(findings: list[Finding], kind: str) -> list[list[str]]:
    return [[item.path.name for item in found.pictures] for found in findings if found.kind == kind]


def cut(picture: Image.Image, share: float) -> Image.Image:
    box = (int(picture.width * share), int(picture.height * share), picture.width, picture.height)
    return picture.crop(box)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "scaled": lambda picture: picture.resize((333, 250)),
    "cut a little": lambda picture: cut(picture, 0.03),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "flatter": lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
    "softer": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_nearly_the_same(folder: Path, change: str) -> None:
    CHANGES[change](photograph(1)).save(folder / "copy.jpg", quality=60)
    found = look(folder)
    assert [sorted(names) for names in of_kind(found, "near-duplicate")] == [["1.png", "copy.jpg"]]


def test_pictures_with_nothing_in_common_are_no_copies(folder: Path) -> None:
    assert look(folder) == []


def test_no_two_of_many_pictures_are_taken_for_copies() -> None:
    patterns = [pattern_of(photograph(seed, (96, 64))) for seed in range(80)]
    assert list(alike(patterns)) == []


def test_copies_of_ten_thousand_are_those_that_comparing_each_with_each_finds() -> None:
    random = np.random.default_rng(0)
    tint = bytes(48)
    patterns = [Pattern(random.bytes(17) + b"\0", tint) for _ in range(10_000)]
    changed = np.frombuffer(patterns[77].bits, np.uint8).copy()
    changed[:4] ^= 0xFF  # 32 bits
    patterns[9_000] = Pattern(changed.tobytes(), tint)
    changed[4] ^= 1
    patterns[9_500] = Pattern(changed.tobytes(), tint)
    assert list(alike(patterns)) == [(77, [9_000], [32])]
    assert ALIKE == 32 < BITS


def test_bits_are_counted_alike_with_an_older_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [photograph(seed).resize((200, 150)) for seed in range(3)]
    patterns = [pattern_of(item) for item in [*(photograph(seed) for seed in range(3)), *changed]]
    found = list(alike(patterns))
    assert [group[:2] for group in found] == [(0, [3]), (1, [4]), (2, [5])]
    monkeypatch.setattr(pattern, "_HAS_COUNT", False)
    assert list(alike(patterns)) == found


def test_one_shape_in_other_colours_is_not_the_same(folder: Path) -> None:
    for name, colour in (("red", (220, 0, 0)), ("blue", (0, 0, 220))):
        picture = Image.new("RGB", (256, 256), "white")
        picture.paste(colour, (60, 40, 200, 220))
        picture.save(folder / f"{name}.png")
    assert of_kind(look(folder), "near-duplicate") == []


def test_the_same_file_and_the_same_pixels_are_told_apart(folder: Path) -> None:
    shutil.copy(folder / "0.png", folder / "again.png")
    photograph(2).save(folder / "other.webp", lossless=True)
    found = look(folder)
    same = [item for item in found if item.kind == "duplicate"]
    notes = {each.path.name: each.note for item in same for each in item.pictures[1:]}
    assert notes == {"again.png": "the same file", "2.png": "the same pixels"} or notes == {
        "again.png": "the same file",
        "other.webp": "the same pixels",
    }
    assert of_kind(found, "near-duplicate") == []


@pytest.mark.parametrize("seed", range(4))
def test_blur_is_measured_whatever_the_contrast(seed: int) -> None:
    sharp = photograph(seed, (512, 512))
    faint = ImageEnhance.Contrast(sharp).enhance(0.4)
    blurred = sharp.filter(ImageFilter.GaussianBlur(3))
    values = [sharpness_of(item) for item in (sharp, faint, blurred)]
    assert None not in values
    first, second, third = (value or 0.0 for value in values)
    assert first > 1.2 and second > 1.2 and third < 1.0


def test_a_subject_before_a_soft_background_is_not_blurred(folder: Path) -> None:
    blurred = photograph(8).filter(ImageFilter.GaussianBlur(8))
    blurred.save(folder / "blurred.png")
    portrait = photograph(9)
    soft = portrait.filter(ImageFilter.GaussianBlur(8))
    face = (260, 160, 380, 300)
    soft.paste(portrait.crop(face), face)
    soft.save(folder / "portrait.png")
    assert of_kind(look(folder), "blurred") == [["blurred.png"]]


def test_the_sharpness_of_a_large_photograph_is_that_of_its_small_version(tmp_path: Path) -> None:
    large = photograph(3, (1600, 1200))
    large.save(tmp_path / "large.jpg", quality=95)
    large.resize((640, 480), Image.Resampling.LANCZOS).save(tmp_path / "small.png")
    one, other = measure(tmp_path / "large.jpg"), measure(tmp_path / "small.png")
    assert one.sharpness == pytest.approx(other.sharpness, rel=0.35)


def test_dark_bright_small_and_barred(folder: Path) -> None:
    ImageEnhance.Brightness(photograph(5)).enhance(0.1).save(folder / "dark.png")
    Image.blend(photograph(6), Image.new("RGB", (640, 480), "white"), 0.9).save(
        folder / "bright.png"
    )
    photograph(7, (200, 200)).save(folder / "tiny.png")
    ImageOps.expand(photograph(10), (0, 80), "black").save(folder / "film.jpg", quality=80)
    ImageOps.expand(photograph(11), 50, "white").save(folder / "framed.png")
    found = look(folder)
    assert of_kind(found, "dark") == [["dark.png"]]
    assert of_kind(found, "bright") == [["bright.png"]]
    assert of_kind(found, "small") == [["tiny.png"]]
    assert of_kind(found, "bars") == [["film.jpg", "framed.png"]]
    [bars] = [item for item in found if item.kind == "bars"]
    assert bars.pictures[0].number == pytest.approx(160 / 640, abs=0.02)


def test_a_subject_on_plain_ground_has_no_bars(folder: Path) -> None:
    picture = Image.new("RGB", (512, 512), "white")
    picture.paste(photograph(4, (200, 200)), (150, 150))
    mask = Image.radial_gradient("L").resize((512, 512)).point([255] * 120 + [0] * 136)
    ground = Image.new("RGB", (512, 512), "white")
    ground.paste(photograph(4, (512, 512)), mask=mask)
    ground.save(folder / "round.png")
    icon = photograph(6, (300, 300)).convert("RGBA")
    ImageOps.expand(icon, 100, (0, 0, 0, 0)).save(folder / "icon.png")
    assert of_kind(look(folder), "bars") == []


def test_a_set_of_one_shape(tmp_path: Path) -> None:
    for seed in range(11):
        photograph(seed, (96, 64)).save(tmp_path / f"{seed}.png")
    [names] = of_kind(look(tmp_path), "one-shape")
    assert len(names) == 11


def test_masks_are_checked(folder: Path) -> None:
    Image.new("L", (640, 480), 0).save(folder / "0-mask.png")
    Image.new("L", (640, 480), 255).save(folder / "1-mask.png")
    half = Image.new("L", (320, 240), 0)
    half.paste(255, (0, 0, 100, 240))
    half.save(folder / "2-mask.png")
    half.resize((300, 300)).save(folder / "3-mask.png")
    half.save(folder / "nobody-mask.png")
    found = look(folder)
    told = {names[0]: item.words for item in found for names in of_kind([item], "mask")}
    assert "black everywhere" in told["0-mask.png"]
    assert "white everywhere" in told["1-mask.png"]
    assert "another shape" in told["3-mask.png"]
    assert "without a picture" in told["nobody-mask.png"]
    assert len(told) == 4


def test_broken_files_are_findings(folder: Path) -> None:
    data = (folder / "0.png").read_bytes()
    (folder / "half.png").write_bytes(data[: len(data) // 2])
    (folder / "text.jpg").write_text("no picture")
    os.mkfifo(folder / "pipe.jpg")
    assert of_kind(look(folder), "broken") == [["half.png", "text.jpg"]]


def test_a_folder_of_nothing_but_broken_files(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    photograph(1).save(folder / "a.png")
    data = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(data[: len(data) // 2])
    assert of_kind(look(folder), "broken") == [["a.png"]]
    assert list(alike([])) == []


def test_what_is_known_is_not_decoded_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    ImageEnhance.Brightness(photograph(5)).enhance(0.1).save(folder / "dark.png")
    before = look(folder)
    seen: list[str] = []
    real = examining.measure

    def counted(path: Path) -> object:
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(examining, "measure", counted)
    assert look(folder) == before and seen == []
    os.utime(folder / "1.png", (1, 1))
    assert look(folder) == before and seen == ["1.png"]
    for file in (cache / "lora-wizard" / "look").iterdir():
        text = file.read_text()
        file.write_text(text.replace("[", '["x",', 3))
    assert look(folder) == before and len(seen) > 1


def test_it_stops_when_told_and_keeps_what_was_measured(folder: Path) -> None:
    stop = threading.Event()
    with pytest.raises(CancelledError):
        examine(
            pictures_of(DatasetOptions(folder=str(folder)), SPEC),
            progress=lambda done, total: stop.set(),
            workers=1,
            stop=stop,
        )
    assert look(folder) == []


def test_an_empty_folder_and_none_at_all(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ProblemsError):
            look(path)


def test_the_command_says_it_and_writes_only_what_is_asked_for(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES[:7]:
        shutil.copy(folder / "0.png", folder / f"{name}.png")
    toml = tmp_path / "run.toml"
    toml.write_text('[model]\nbase = "owner/name"  # mine\n[dataset]\nfolder = "set"\n')
    before = toml.read_bytes()
    assert main(["look", str(toml)]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text and "\u202e" not in text and "8 files show exactly the same" in text
    assert toml.read_bytes() == before
    assert main(["look", str(toml), "--json", "--leave-out", "duplicate"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["left_out"]) == 7 and "# mine" in toml.read_text()
    assert len(configfile.load(toml).dataset.exclude) == 7
    assert main(["look", str(toml)]) == 0
    assert "exactly the same" not in capsys.readouterr().out
    assert main(["look", str(folder), "--leave-out", "duplicate"]) == 2


def test_alpha_channels_are_checked_where_they_are_the_masks(folder: Path) -> None:
    for number, (left, right) in enumerate(((0, 0), (255, 255), (0, 255))):
        alpha = Image.new("L", (640, 480), left)
        alpha.paste(right, (0, 0, 320, 480))
        picture = photograph(number).convert("RGBA")
        picture.putalpha(alpha)
        picture.save(folder / f"{number}.png")
    assert not of_kind(look(folder), "mask")
    pictures = pictures_of(DatasetOptions(folder=str(folder)), SPEC, mask="alpha")
    for _ in range(2):
        found = examine(pictures)
        told = {item.pictures[0].path.name: item.words for item in found if item.kind == "mask"}
        assert "transparent everywhere" in told["0.png"]
        assert "opaque everywhere" in told["1.png"]
        assert set(told) == {"0.png", "1.png"}, "remembered, too"


def test_a_folder_is_judged_for_a_family_that_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["look", str(folder), "--resolution", "768"]) == 0
    assert "Judged for SD 1.x at 768x768" in capsys.readouterr().out
