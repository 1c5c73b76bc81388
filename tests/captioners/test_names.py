"""Captions from names, and the seam that they come through."""

from __future__ import annotations

from pathlib import Path

import pytest
from lora_wizard.captioners import registry
from lora_wizard.captioners.base import LightSpec
from lora_wizard.captioners.names import from_file, from_folder
from lora_wizard.core.registry import UnknownNameError
from lora_wizard.core.resize.frame import Target
from lora_wizard.core.resize.job import resize
from lora_wizard.core.resize.order import Order
from PIL import Image


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("red_fox_in_snow.jpg", "red fox in snow"),
        ("red-fox-in-snow.jpeg", "red fox in snow"),
        ("a photo of a long-haired cat.png", "a photo of a long-haired cat"),
        ("1girl, blue_hair, smile.png", "1girl, blue hair, smile"),
        ("zibbu-01.png", "zibbu"),
        ("fox (2).png", "fox"),
        ("IMG_2031_fox.jpg", "fox"),
        ("fox_512x512.png", "fox"),
        ("キツネ 03.png", "キツネ"),
        ("猫.png", "猫"),
        ("fox\x1b]0;x\x07.png", "fox ]0;x"),
        (".png", ""),
        ("IMG_2031.jpg", ""),
        ("IMG-20240131-WA0007.jpg", ""),
        ("DSC01234.JPG", ""),
        ("P1010203.JPG", ""),
        ("PXL_20230101_120000123.jpg", ""),
        ("Screenshot 2024-01-31 at 12.00.01.png", ""),
        ("WhatsApp Image 2024-01-31 at 12.00.01.jpeg", ""),
        ("00017-3141592653.png", ""),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301.webp", ""),
        ("d41d8cd98f00b204e9800998ecf8427e.jpg", ""),
        ("image (4).png", ""),
        ("42.png", ""),
    ],
)
def test_a_file_name_that_a_person_gave_is_a_caption(name: str, caption: str) -> None:
    assert from_file(name) == caption


@pytest.mark.parametrize(
    ("name", "caption"),
    [("20_zibbu creature", "zibbu creature"), ("my_dog", "my dog"), ("images", ""), ("2024", "")],
)
def test_a_folder_name_loses_the_repeats(name: str, caption: str) -> None:
    assert from_folder(name) == caption


def test_the_captioner_falls_back_to_the_folder_and_says_when_it_knows_nothing() -> None:
    spec = registry.find("names")
    assert isinstance(spec, LightSpec)
    assert not spec.missing(spec.options())
    captioner = spec.create(spec.options())
    pictures = [Path("/p/10_red fox/IMG_1.jpg"), Path("/p/x/a cat.jpg"), Path("/p/img/IMG_1.jpg")]
    found = list(captioner.caption(pictures))
    assert [item.picture for item in found] == pictures
    assert [item.text for item in found] == ["red fox", "a cat", ""]
    assert "says anything" in found[2].reason
    from_folders = spec.create(spec.options.model_validate({"source": "folder"}))
    assert [item.text for item in from_folders.caption(pictures)] == ["red fox", "", ""]


def test_a_copy_is_called_what_its_picture_was_called(tmp_path: Path) -> None:
    for name in ("raw/red fox/IMG_1.jpg", "raw/IMG_2.jpg", "raw/Anna - at the sea.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64)).save(tmp_path / name)
    order = Order(tmp_path / "raw", tmp_path / "raw-resized", Target((64, 64)), is_flat=True)
    resize(order)
    spec = registry.find("names")
    assert isinstance(spec, LightSpec)
    copies = sorted((tmp_path / "raw-resized").glob("*.jpg"))
    found = {item.picture.name: item.text for item in spec.create(spec.options()).caption(copies)}
    assert found == {
        "Anna - at the sea.jpg": "Anna - at the sea",
        "IMG_2.jpg": "",
        "red fox - IMG_1.jpg": "red fox",
    }


def test_captioners_are_found_and_their_options_described() -> None:
    assert "names" in registry.names()
    options = registry.find("names").option_infos()
    assert [(info.key, info.choices) for info in options] == [("source", ("file", "folder"))]
    with pytest.raises(UnknownNameError):
        registry.find("nmaes")
