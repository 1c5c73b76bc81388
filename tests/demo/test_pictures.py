"""The sample dataset as it lies in the package: what the script draws, and captions that fit."""

from pathlib import Path

import pytest
from lora_wizard.core.demo.assets import demo_folder
from lora_wizard.core.demo.build_pictures import CLASS_PICTURES, SUBJECT_PICTURES, build
from lora_wizard.core.demo.captions import WORDS
from lora_wizard.core.demo.creature import TRIGGER_WORD
from lora_wizard.core.demo.judge import Judge
from lora_wizard.core.demo.pixels import to_pixels
from lora_wizard.core.demo.world import COLOURS
from PIL import Image

DEMO = demo_folder()


def _pairs(folder: Path) -> list[tuple[Image.Image, str]]:
    files = sorted(folder.glob("*.png"))
    return [
        (Image.open(file).convert("RGB"), file.with_suffix(".txt").read_text().strip())
        for file in files
    ]


def test_the_whole_demo_is_small() -> None:
    assert sum(file.stat().st_size for file in DEMO.rglob("*") if file.is_file()) <= 14e6


@pytest.mark.parametrize("name", ["pictures", "regularization"])
def test_the_script_draws_what_is_in_the_package(name: str, tmp_path: Path) -> None:
    build(tmp_path, 0)
    drawn, kept = _pairs(tmp_path / name), _pairs(DEMO / name)
    assert [text for _, text in drawn] == [text for _, text in kept]
    assert all(a.tobytes() == b.tobytes() for (a, _), (b, _) in zip(drawn, kept, strict=True))


def test_every_sample_picture_shows_the_subject_and_says_so() -> None:
    pairs, judge = _pairs(DEMO / "pictures"), Judge.load()
    assert len(pairs) == SUBJECT_PICTURES
    assert len({picture.size for picture, _ in pairs}) >= 4
    for picture, text in pairs:
        pixels = to_pixels([picture])
        assert judge.subject_present(pixels).item(), text
        assert text.startswith(f"{TRIGGER_WORD} creature ")
        assert judge.scene(pixels)[0].background in text


def test_no_class_picture_shows_the_subject() -> None:
    pairs, judge = _pairs(DEMO / "regularization"), Judge.load()
    assert len(pairs) == CLASS_PICTURES
    for picture, text in pairs:
        assert not judge.subject_present(to_pixels([picture])).item(), text
        assert set(text.replace(",", " ,").split()) <= set(WORDS)
        assert any(f"{colour} background" in text for colour in COLOURS)
    assert 0.4 <= sum("creature" in text for _, text in pairs) / len(pairs) <= 0.75
