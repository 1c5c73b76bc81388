"""Masks beside pictures and in their alpha: found, never trained, and cut as their pictures are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import SPEC, make_config, write_picture
from lora_wizard.core.dataset.build import build_plan, verify_plan
from lora_wizard.core.dataset.masks import load_mask, masked_name, show_mask
from lora_wizard.core.dataset.plan import Crop, DatasetPlan
from lora_wizard.core.dataset.views import plain_view
from lora_wizard.core.errors import ProblemsError
from PIL import Image


def plan_of(folder: Path, mask: str = "none", **dataset: Any) -> DatasetPlan:
    config = make_config(dataset={"folder": str(folder), **dataset}, loss={"mask": mask})
    return build_plan(config, SPEC)


def names(plan: DatasetPlan) -> dict[str, str]:
    """The mask's file by the picture's, of those that have one."""
    masked = {item.path.name: item.mask for item in plan.samples}
    return {name: mask.path.name for name, mask in masked.items() if mask}


def said(plan: DatasetPlan, severity: str) -> str:
    told = [item for item in plan.problems if item.where == "loss.mask"]
    return "\n".join(item.message for item in told if item.severity == severity)


def write_mask(path: Path, size: tuple[int, int] = (512, 512), level: int = 255) -> Path:
    Image.new("L", size, level).save(path)
    return path


@pytest.mark.parametrize("mask", ["none", "file", "alpha"])
def test_a_mask_is_never_a_training_picture(mask: str, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.c.png", "d.webp", "e.png", "mask.png", "f-masked.png"):
        write_picture(tmp_path / name)
    for name in ("a-mask.png", "b.c.mask.png", "d-masklabel.png", "e-Mask.PNG"):
        write_mask(tmp_path / name)
    plan = plan_of(tmp_path, mask)
    trained = [item.path.name for item in plan.samples]
    assert trained == ["a.jpg", "b.c.png", "d.webp", "e.png", "f-masked.png", "mask.png"]
    beside = {"a.jpg": "a-mask.png", "b.c.png": "b.c.mask.png", "d.webp": "d-masklabel.png"}
    assert names(plan) == ({**beside, "e.png": "e-Mask.PNG"} if mask == "file" else {})
    verify_plan(plan)


def test_what_is_only_named_so_is_a_picture_until_masks_are_asked_for(tmp_path: Path) -> None:
    write_picture(tmp_path / "venetian-mask.png")
    write_picture(tmp_path / "a.png")
    assert len(plan_of(tmp_path).samples) == 2
    write_mask(tmp_path / "a-mask.png")
    plan = plan_of(tmp_path, "file")
    assert [item.path.name for item in plan.samples] == ["a.png"]
    assert "venetian-mask.png" in said(plan, "warning")
    assert masked_name("-mask.png") == masked_name("mask.png") == masked_name("a_mask.png") == ""


def test_it_is_said_how_many_have_one_and_what_is_not_used(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_picture(tmp_path / name)
    write_mask(tmp_path / "b-mask.png")
    assert "1 of 2 pictures has a mask; the others" in said(plan_of(tmp_path, "file"), "note")
    unused = [item for item in plan_of(tmp_path).problems if item.where == "loss.mask"]
    assert [item.severity for item in unused] == ["warning"]
    assert unused[0].mends[0].values == {"loss.mask": "file"}
    assert "No picture has an alpha channel" in said(plan_of(tmp_path, "alpha"), "warning")
    excluded = plan_of(tmp_path, "file", exclude=["*-mask.png"])
    assert names(excluded) == {}
    assert "No picture has a name-mask.png" in said(excluded, "warning")


def test_two_masks_of_one_picture_and_one_of_another_shape_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        write_picture(tmp_path / name, (640, 512))
    write_mask(tmp_path / "a-mask.png", (320, 256))
    write_mask(tmp_path / "b-mask.png", (640, 512))
    write_mask(tmp_path / "b.mask.png", (640, 512))
    write_mask(tmp_path / "c-mask.png", (512, 640))
    with pytest.raises(ProblemsError) as raised:
        plan_of(tmp_path, "file")
    messages = [problem.message for problem in raised.value.problems]
    assert len(messages) == 2
    assert "b-mask.png and b.mask.png" in "".join(messages)
    assert "512x640" in "".join(messages)


def black_file(folder: Path) -> None:
    write_mask(folder / "a-mask.png", level=0)


def transparent_mask_file(folder: Path) -> None:
    Image.new("RGBA", (512, 512), (255, 255, 255, 0)).save(folder / "a-mask.png")


def invisible_picture(folder: Path) -> None:
    Image.new("RGBA", (512, 512), (200, 100, 0, 0)).save(folder / "a.png")


@pytest.mark.parametrize(
    ("make", "mask", "bad"),
    [
        (black_file, "file", "a-mask.png"),
        (transparent_mask_file, "file", "a-mask.png"),
        (invisible_picture, "alpha", "a.png"),
    ],
)
def test_a_mask_that_leaves_nothing_is_named(
    make: Any, mask: str, bad: str, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        write_picture(tmp_path / name)
    make(tmp_path)
    verify_plan(plan_of(tmp_path))
    for _ in range(2):
        with pytest.raises(ProblemsError) as raised:
            verify_plan(plan_of(tmp_path, mask))
        (problem,) = raised.value.problems
        assert problem.where.endswith(bad) and "nothing" in problem.message
    # A black silhouette is a good alpha channel.
    Image.new("RGBA", (512, 512), (0, 0, 0, 9)).save(tmp_path / "a.png")
    verify_plan(plan_of(tmp_path, "alpha"))


def test_a_broken_mask_is_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    whole = write_mask(tmp_path / "a-mask.png").read_bytes()
    (tmp_path / "a-mask.png").write_bytes(whole[:-30])
    with pytest.raises(ProblemsError, match=r"a-mask\.png"):
        verify_plan(plan_of(tmp_path, "file"))
    (tmp_path / "a-mask.png").write_bytes(b"nothing")
    with pytest.raises(ProblemsError, match=r"a-mask\.png"):
        plan_of(tmp_path, "file")


def test_an_upright_mask_of_a_turned_picture(tmp_path: Path) -> None:
    """Each is turned by what it says itself."""
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "a.jpg", (640, 512), exif=exif)
    write_mask(tmp_path / "a-mask.png", (512, 640))
    (sample,) = plan_of(tmp_path, "file").samples
    assert sample.mask and sample.width < sample.height


def test_grey_alpha_and_sixteen_bits(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "grey.png")
    Image.fromarray(levels.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    alpha = Image.new("RGBA", (16, 16), (255, 255, 255, 0))
    alpha.putalpha(Image.fromarray(levels))
    alpha.save(tmp_path / "alpha.png")
    for name, is_alpha in (("grey", False), ("deep", False), ("alpha", False), ("alpha", True)):
        mask = load_mask(tmp_path / f"{name}.png", is_alpha=is_alpha)
        assert np.array_equal(np.asarray(mask), levels), name
    whole = load_mask(tmp_path / "grey.png", is_alpha=True)
    assert whole.getextrema() == (255, 255)


def test_a_mask_is_scaled_cut_and_mirrored_as_its_picture(tmp_path: Path) -> None:
    """Against the mean over whole blocks, and numpy's own slices."""
    chance = np.random.default_rng(1)
    levels = chance.integers(0, 256, (256, 384), dtype=np.uint8)
    write_picture(tmp_path / "a.png", (768, 512))
    (sample,) = plan_of(tmp_path).samples
    width, height = sample.bucket.width, sample.bucket.height
    crop = Crop(width + 40, height + 8, 29, 3)
    mask = Image.fromarray(levels).resize((2 * crop.scaled_width, 2 * crop.scaled_height))
    blocks = np.asarray(mask, dtype=float)
    means = blocks.reshape(crop.scaled_height, 2, crop.scaled_width, 2).mean(axis=(1, 3))
    expected = means[3 : 3 + height, 29 : 29 + width]
    view = replace(plain_view(sample), crop=crop)
    shown = np.asarray(show_mask(mask, view), dtype=float)
    assert shown.shape == (height, width)
    assert np.abs(shown - expected).max() <= 1  # rounded twice
    mirrored = np.asarray(show_mask(mask, replace(view, is_flipped=True)), dtype=float)
    assert np.array_equal(mirrored, shown[:, ::-1])
