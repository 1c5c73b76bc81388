"""PNG files that say how they were drawn."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.sampling.pictures import parameters, png_bytes, write_picture
from PIL import Image

PROMPT = SamplePrompt("mika, 猫\n[/x] \x1b[31m", "blurry", 32, 24, 20, 7.0, 42, "dpm++_2m_karras")


def picture() -> Image.Image:
    return Image.linear_gradient("L").resize((32, 24)).convert("RGB")


def test_the_pixels_and_the_texts_come_back(tmp_path: Path) -> None:
    path = tmp_path / "samples" / "step00000010-01.png"
    digest = write_picture(path, picture(), PROMPT, {"step": 10, "epoch": 2})
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with Image.open(path) as read:
        read.load()
        assert read.tobytes() == picture().tobytes()
        assert read.info["parameters"] == parameters(PROMPT)
        assert (read.info["step"], read.info["epoch"]) == ("10", "2")


def test_the_parameters_are_written_as_others_read_them() -> None:
    assert parameters(PROMPT).splitlines()[-2:] == [
        "Negative prompt: blurry",
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 32x24",
    ]


def test_the_same_picture_gives_the_same_bytes() -> None:
    texts = {"parameters": "a", "step": "1"}
    assert png_bytes(picture(), texts) == png_bytes(picture(), texts)
    assert png_bytes(picture(), texts) != png_bytes(picture(), {**texts, "step": "2"})
