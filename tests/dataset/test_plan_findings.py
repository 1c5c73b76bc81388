"""What a plan says of the pictures and captions in its folders."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from datasets import write_picture, write_pictures
from lora_wizard.core.dataset.build import verify_plan
from lora_wizard.core.errors import ProblemsError
from PIL import Image
from plans import errors_of, found, plan_of, said


def test_broken_pictures_go_only_with_the_user_s_word(tmp_path: Path) -> None:
    write_pictures(tmp_path / "4_a", 2)
    (tmp_path / "4_a/bad.png").write_bytes(b"")
    (problem,) = errors_of(tmp_path)
    assert 'dataset.exclude = ["4_a/bad.png"]' in problem.remedy
    (tmp_path / "4_a/worse.png").write_bytes(b"x")
    *_, last = errors_of(tmp_path, exclude=["x.png"])
    line = last.remedy.splitlines()[-1]
    assert tomllib.loads(line) == {
        "dataset": {"exclude": ["x.png", "4_a/bad.png", "4_a/worse.png"]}
    }
    (tmp_path / "4_a/worse.png").unlink()
    for pattern in ("bad.png", "bad*", "4_a/bad.png", "*/bad.*"):
        plan = plan_of(tmp_path, exclude=[pattern])
        assert found(plan) == {"a": (2, 4)}
        assert "1 picture left out" in said(plan, "note")
    plan = plan_of(tmp_path, exclude=["bad.png", "nothing.png"])
    assert "'nothing.png' matches no picture" in said(plan)


def test_a_picture_cut_off_is_named_before_training(tmp_path: Path) -> None:
    write_picture(tmp_path / "1_a/good.jpg")
    path = write_picture(tmp_path / "1_a/cut.jpg")
    path.write_bytes(path.read_bytes()[:-200])
    plan = plan_of(tmp_path)
    with pytest.raises(ProblemsError) as caught:
        verify_plan(plan)
    assert [item.where for item in caught.value.problems] == [str(path)]


def test_captions_missing_doubled_and_strange_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "1_mika"
    write_pictures(folder, 4)
    (folder / "00.txt").write_text("from txt")
    (folder / "00.caption").write_text("from caption")
    (folder / "01.caption").write_text("only caption")
    (folder / "02.txt").write_bytes("caf\xe9".encode("cp1252"))
    plan = plan_of(tmp_path)
    assert [item.caption for item in plan.samples] == [
        "from txt", "only caption", "caf\xe9", "mika",
    ]  # fmt: skip
    assert plan.concepts[0].captions == 3
    text = said(plan)
    assert "1 of 4 pictures" in text
    assert "03.png" in text
    assert "Windows-1252: 02.txt" in text
    assert ".caption beside it: 00.txt" in text


def test_what_to_do_about_missing_captions_is_said_once(tmp_path: Path) -> None:
    for folder in ("1_a", "1_b", "1_c"):
        write_pictures(tmp_path / folder, 2)
    missing = [item for item in plan_of(tmp_path).problems if "no caption" in item.message]
    assert [bool(item.remedy) for item in missing] == [True, False, False]


def test_a_caption_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_a", 1)
    (tmp_path / "1_a/00.txt").write_bytes(b"\x00" * 10)
    (problem,) = errors_of(tmp_path)
    assert "00.txt" in problem.message


def test_animations_and_transparency_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_a", 1, "x")
    frames = [Image.new("RGB", (512, 512), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "1_a/moves.webp", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (512, 512)).save(tmp_path / "1_a/clear.png")
    text = said(plan_of(tmp_path), "note")
    assert "first frame is trained: moves.webp." in text
    assert "become white: clear.png." in text


def test_pictures_of_kinds_that_are_not_read_are_told(tmp_path: Path) -> None:
    write_pictures(tmp_path, 12)
    for name in ("IMG_1.HEIC", "00.dng", "IMG_2.MOV", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    text = said(plan_of(tmp_path))
    assert "1 file is of a kind that is not read, and left out: IMG_1.HEIC." in text
    assert "JPEG" in text


def test_buckets_are_advised_only_where_they_are_off(tmp_path: Path) -> None:
    write_pictures(tmp_path, 1)
    write_picture(tmp_path / "long.png", (4000, 300))
    advice = "Turn dataset.buckets on."
    assert advice in said(plan_of(tmp_path, buckets=False))
    narrow = {"bucket_min_side": 512, "bucket_max_side": 512}
    text = said(plan_of(tmp_path, None, **narrow))
    assert "1 of 2 pictures loses more" in text
    assert advice not in text


def test_class_pictures_are_not_the_subject_s(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_a", 1)
    (problem,) = errors_of(tmp_path, regularization_folder=str(tmp_path / "1_a"))
    assert problem.where == "dataset.regularization_folder"


def test_the_order_is_by_code_points(tmp_path: Path) -> None:
    for name in ("b", "A", "ä", "a", "Z", "10", "9"):
        write_picture(tmp_path / f"{name}.png")
    names = [sample.path.stem for sample in plan_of(tmp_path).samples]
    assert names == ["10", "9", "A", "Z", "a", "b", "ä"]


def test_what_the_set_lacks(tmp_path: Path) -> None:
    write_pictures(tmp_path / "1_same", 12)
    assert "one shape" in said(plan_of(tmp_path), "note")
    write_picture(tmp_path / "1_same/small.png", (200, 200))
    write_picture(tmp_path / "1_same/long.png", (4000, 300))
    text = said(plan_of(tmp_path))
    assert "small.png" in text
    assert "long.png" in text
    assert "few" in said(plan_of(tmp_path, exclude=["0*", "1*"]))
