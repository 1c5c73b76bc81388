"""Copies are what Pillow makes when it is called plainly; the pictures stay as they are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from datasets import SPEC, make_config, write_picture
from hostile import NAMES
from lora_wizard.core.dataset.buckets import cover
from lora_wizard.core.dataset.build import build_plan
from lora_wizard.core.dataset.caption_tables import read_table
from lora_wizard.core.dataset.pixels import crop_picture, load_picture
from lora_wizard.core.dataset.plan import Bucket
from lora_wizard.core.errors import WizardError
from lora_wizard.core.resize.copying import Encoding
from lora_wizard.core.resize.crops import CropTable
from lora_wizard.core.resize.frame import Target, frame_of
from lora_wizard.core.resize.job import resize
from lora_wizard.core.resize.order import Order, held
from lora_wizard.core.resize.subject import subject_point
from lora_wizard.core.resize.work import Outcome
from lora_wizard.tui.cli import main
from photographs import photograph
from PIL import ExifTags, Image, ImageCms, ImageOps

PNG = Encoding("png")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    return folder


def copies(source: Path, target: Target, how: str = "crop", **options: object) -> Outcome:
    order = Order(source, source.with_name("new"), target, how, **options)  # pyright: ignore
    return resize(order, workers=2)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def new(source: Path, name: str) -> Image.Image:
    return Image.open(source.with_name("new") / name)


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size and one.mode == other.mode
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max())


@pytest.mark.parametrize("size", [(640, 480), (300, 500), (512, 512), (97, 301)])
def test_a_crop_is_what_training_would_cut(source: Path, size: tuple[int, int]) -> None:
    picture = photograph(0, size)
    picture.save(source / "a.png")
    copies(source, Target((128, 160)), encoding=PNG)
    bucket = Bucket(128, 160)
    trained = crop_picture(picture, cover(*size, bucket), bucket)
    inner = (4, 4, 124, 156)  # at the very edge training also sees what is beyond it
    cut = np.asarray(new(source, "a.png").crop(inner), float)
    assert np.abs(cut - np.asarray(trained.crop(inner), float)).mean() < 0.5
    scale = max(128 / size[0], 160 / size[1])
    method = Image.Resampling.LANCZOS if scale <= 1 else Image.Resampling.BICUBIC
    plain = ImageOps.fit(picture, (128, 160), method)
    assert np.abs(np.asarray(new(source, "a.png"), float) - np.asarray(plain, float)).mean() < 10


@pytest.mark.parametrize("how", ["fit", "pad"])
def test_all_of_it_is_pillows_contain_and_pad(source: Path, how: str) -> None:
    picture = photograph(1)
    picture.save(source / "a.png")
    copies(source, Target((128, 160)), how, encoding=PNG)
    lanczos = Image.Resampling.LANCZOS
    plain = (
        ImageOps.contain(picture, (128, 160), lanczos)
        if how == "fit"
        else ImageOps.pad(picture, (128, 160), lanczos, color="white")
    )
    assert difference(new(source, "a.png"), plain) == 0


def test_nothing_is_enlarged_when_it_is_not_to_be(source: Path) -> None:
    photograph(0, (200, 100)).save(source / "a.png")
    photograph(1, (800, 900)).save(source / "b.png")
    for how, small in (("crop", (100, 100)), ("fit", (200, 100)), ("pad", (512, 512))):
        outcome = copies(source, Target((512, 512), enlarge=False), how, encoding=PNG)
        assert new(source, "a.png").size == small and outcome.enlarged == 0


def test_buckets_are_those_of_training(source: Path, tmp_path: Path) -> None:
    sizes = [(640, 480), (480, 640), (1000, 300), (512, 512), (333, 777), (2000, 700)]
    for number, size in enumerate(sizes):
        photograph(number, size).save(source / f"{number}.jpg")
    copies(source, Target.buckets((256, 256), SPEC))

    def buckets(folder: Path) -> list[str]:
        dataset = {"folder": str(folder), "resolution": 256}
        samples = build_plan(make_config(dataset=dataset), SPEC).samples
        return [str(item.bucket) for item in samples]

    into = tmp_path / "new"
    assert buckets(into) == buckets(source)
    for number, bucket in enumerate(buckets(source)):
        with Image.open(into / f"{number}.jpg") as copy:
            assert f"{copy.width}x{copy.height}" == bucket


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_comes_out_upright_and_says_so_no_more(
    source: Path, orientation: int
) -> None:
    picture = photograph(2, (96, 64))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "camera"
    picture.save(source / "a.png", exif=exif)
    copies(source, Target((48, 48)), "fit", encoding=PNG)
    copy = new(source, "a.png")
    upright = ImageOps.exif_transpose(Image.open(source / "a.png"))
    plain = ImageOps.contain(upright, (48, 48), Image.Resampling.LANCZOS)
    assert difference(copy, plain) == 0
    assert not copy.getexif() and "icc_profile" not in copy.info


def test_other_colours_than_srgb_become_it(source: Path) -> None:
    grey = Image.new("I;16", (64, 64))
    grey.putdata([257 * (at % 256) for at in range(64 * 64)])
    grey.save(source / "deep.png")
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(source / "print.jpg", quality=100)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(source / "tagged.jpg", icc_profile=lab)
    copies(source, Target((64, 64)), encoding=PNG)
    for name in ("deep", "print", "tagged"):
        copy = new(source, f"{name}.png")
        assert copy.mode == "RGB" and "icc_profile" not in copy.info
        path = next(source.glob(f"{name}.*"))
        assert difference(copy, load_picture(path)) == 0
    red, green, blue = new(source, "print.png").getpixel((5, 5))  # pyright: ignore
    assert red > 200 and green < 80 and blue < 80


def test_transparency_is_kept_where_the_format_has_it(source: Path) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 32, 64))
    picture.save(source / "a.png")
    copies(source, Target((32, 32)), encoding=Encoding("keep"))
    copy = new(source, "a.png")
    assert copy.mode == "RGBA"
    assert copy.getpixel((2, 2)) == (0, 0, 255, 255)
    assert copy.getpixel((30, 2)) == (255, 255, 255, 0), "no hidden colours"
    copies(source, Target((32, 32)), encoding=Encoding("jpg"))
    assert new(source, "a.jpg").convert("RGB").getpixel((30, 2)) == (255, 255, 255)
    assert not (source.with_name("new") / "a.png").exists(), "the one it replaces"


@pytest.mark.parametrize("kind", ["keep", "webp"])
def test_what_is_half_transparent_looks_as_before(source: Path, kind: str) -> None:
    Image.new("RGBA", (64, 64), (255, 0, 0, 128)).save(source / "a.png")
    copies(source, Target((32, 32)), encoding=Encoding(kind, 100))  # pyright: ignore
    before = load_picture(source / "a.png").resize((32, 32))
    copy = next(source.with_name("new").glob("a.*"))
    assert difference(load_picture(copy), before) <= 2


def test_a_mask_goes_with_its_copy(source: Path, tmp_path: Path) -> None:
    write_picture(source / "trip/a.png", (64, 64))
    mask = source / "trip/a-mask.png"
    Image.new("L", (64, 64), 200).save(mask)
    into = tmp_path / "new"
    copies(source, Target((32, 32)), is_flat=True)
    assert (into / "trip - a-mask.png").exists()
    copies(source, Target((32, 32)))
    assert sorted(path.name for path in into.rglob("*.png")) == ["a-mask.png", "a.png"]
    mask.unlink()
    copies(source, Target((32, 32)))
    assert [path.name for path in into.rglob("*.png")] == ["a.png"], "it has none any more"


def test_what_is_no_caption_by_its_size_is_not_copied(source: Path) -> None:
    for name in ("a", "b"):
        write_picture(source / f"{name}.png", (64, 64))
    (source / "a.txt").write_bytes(b"x" * ((1 << 20) + 1))
    outcome = copies(source, Target((32, 32)))
    assert [row.file for row in outcome.rows] == ["b.png"]
    assert "too long" in outcome.bad[0].reason


def test_masks_are_cut_along_and_captions_copied(source: Path, tmp_path: Path) -> None:
    folder = source / "10_mika"
    write_picture(folder / "a.jpg", (400, 200))
    mask = Image.new("L", (200, 100), 0)
    mask.paste(255, (100, 0, 200, 100))
    mask.save(folder / "a-mask.png")
    (folder / "a.txt").write_bytes(b"\xff a caption")
    outcome = copies(source, Target((100, 100)))
    into = tmp_path / "new" / "10_mika"
    assert (outcome.made, outcome.masks, outcome.texts) == (1, 1, 1)
    assert (into / "a.txt").read_bytes() == b"\xff a caption"
    cut = np.asarray(Image.open(into / "a-mask.png"))
    assert cut.shape == (100, 100)
    assert (cut[:, :49] == 0).all() and (cut[:, 51:] == 255).all()
    copies(source, Target((100, 100)), "pad")
    padded = np.asarray(Image.open(into / "a-mask.png"))
    assert (padded[:24] == 0).all() and (padded[30:70, 55:] == 255).all()


def test_what_is_current_is_not_done_again_and_what_was_changed_is_kept(
    source: Path, tmp_path: Path
) -> None:
    for number in range(4):
        photograph(number, (100, 80)).save(source / f"{number}.png")
    (source / "0.txt").write_text("old")
    originals = state(source)
    copies(source, Target((64, 64)))
    into = tmp_path / "new"
    before = state(into)
    outcome = copies(source, Target((64, 64)))
    assert (outcome.made, outcome.current) == (0, 4)
    assert {name: item for name, item in state(into).items() if ".png" in name} == {
        name: item for name, item in before.items() if ".png" in name
    }
    Image.new("RGB", (64, 64), "red").save(into / "1.png")
    (into / "0.txt").write_text("written here")
    (into / "2.png").unlink()
    photograph(9, (100, 80)).save(source / "3.png")
    outcome = copies(source, Target((64, 64)))
    assert (outcome.made, outcome.current, outcome.kept) == (2, 1, ["1.png"])
    assert Image.open(into / "1.png").getpixel((0, 0)) == (255, 0, 0)
    outcome = copies(source, Target((32, 32)))
    assert outcome.made == 3 and outcome.kept == ["1.png"]
    assert (into / "0.txt").read_text() == "written here"
    changed = {str(source / "3.png")}
    assert {k: v for k, v in state(source).items() if k not in changed} == {
        k: v for k, v in originals.items() if k not in changed
    }


def test_a_killed_one_goes_on(source: Path, tmp_path: Path) -> None:
    for number in range(24):
        picture = photograph(number % 4, (500, 400))
        picture.save(source / f"{number:02}.jpg", quality=80 + number % 9)
    into = tmp_path / "new"
    words = ["resize", str(source), "--to", "512", "--into", str(into), "--format", "png"]
    command = [sys.executable, "-m", "lora_wizard.tui.cli", *words]
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(into.glob("*.png"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(job.pid, signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL
    there = list(into.glob("*.png"))
    assert 3 <= len(there) < 24
    for path in there:
        Image.open(path).load()
    assert main(words) == 0
    assert len(list(into.glob("*.png"))) == 24
    assert [path.name for path in into.iterdir() if path.name.startswith(".")] == []
    table = json.loads((into / "resize.json").read_text())
    assert len(table["pictures"]) == 24
    fresh = tmp_path / "fresh"
    main([*words[:5], str(fresh), *words[6:]])
    assert all((fresh / path.name).read_bytes() == path.read_bytes() for path in there)


@pytest.mark.parametrize("into", ["", "inside", "..", "other", "foreign", "file"])
def test_a_folder_that_is_not_its_own_is_refused(source: Path, tmp_path: Path, into: str) -> None:
    write_picture(source / "a.png")
    write_picture(tmp_path / "other" / "b.png")
    (tmp_path / "file").write_text("x")
    elsewhere = tmp_path / "elsewhere"
    write_picture(elsewhere / "a.png", (64, 64))
    resize(Order(elsewhere, tmp_path / "foreign", Target((32, 32))))
    before = state(tmp_path)
    name = source / into if into in ("", "inside", "..") else tmp_path / into
    with pytest.raises(WizardError):
        resize(Order(source, name, Target((32, 32))))
    assert state(tmp_path) == before


def test_two_at_once_are_refused(source: Path, tmp_path: Path) -> None:
    write_picture(source / "a.png", (64, 64))
    with held(tmp_path / "new"), pytest.raises(WizardError, match="being copied there"):
        copies(source, Target((32, 32)))


def test_two_pictures_of_one_name_do_not_become_one(source: Path) -> None:
    write_picture(source / "a.png", (64, 64))
    write_picture(source / "a.jpg", (64, 64))
    outcome = copies(source, Target((32, 32)), encoding=Encoding("jpg"))
    assert outcome.made == 1 and "name of that of" in outcome.bad[0].reason


def test_a_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    write_picture(source / "a.png", (640, 480))
    outcome = resize(Order(source, tmp_path / "new", Target((64, 64))), is_dry=True)
    assert outcome.made == 1 and not (tmp_path / "new").exists()


def test_crops_by_hand_count_before_all_else(source: Path, tmp_path: Path) -> None:
    picture = photograph(4)
    picture.save(source / "a.png")
    photograph(5).save(source / "b.png")
    into = tmp_path / "new"
    table = CropTable(into)
    into.mkdir()
    table.put("a.png", (640, 480), (100, 50, 300, 250))
    table.put("b.png", (1, 1), (0, 0, 1, 1))  # of another picture that had this name
    table.save()
    copies(source, Target((100, 100)), encoding=PNG)
    plain = picture.crop((100, 50, 300, 250)).resize((100, 100), Image.Resampling.LANCZOS)
    assert difference(new(source, "a.png").crop((4, 4, 96, 96)), plain.crop((4, 4, 96, 96))) == 0
    assert new(source, "b.png").size == (100, 100)
    table.put("a.png", (640, 480), None)
    table.save()
    assert copies(source, Target((100, 100)), encoding=PNG).made == 1


@pytest.mark.parametrize("place", [(60, 200), (300, 200), (520, 220)])
def test_the_subject_is_in_the_crop(place: tuple[int, int]) -> None:
    picture = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    picture = Image.blend(picture, Image.new("RGB", picture.size, (120, 130, 140)), 0.7)
    picture.paste(photograph(3, (90, 120)), place)
    target = Target((256, 256))
    middle = frame_of(picture.size, target, "crop")
    shares = (middle.box[2] - middle.box[0]) / 640, (middle.box[3] - middle.box[1]) / 480
    frame = frame_of(picture.size, target, "crop", subject_point(picture, shares))
    left, _, right, _ = frame.box
    assert left <= place[0] + 2 and place[0] + 88 <= right
    assert left >= 0 and right <= 640


def test_the_command_and_hostile_names(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES[:7]:
        write_picture(source / f"{name}.png", (90, 64))
    before = state(source)
    into = tmp_path / "new"
    words = ["resize", str(source), "--into", str(into), "--to", "64", "--how", "pad"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text and "7 copies made" in text
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"] == 7
    assert state(source) == before
    assert {path.name for path in into.glob("*.png")} == {path.name for path in source.iterdir()}
    assert main(["resize", str(source), "--to", "huge"]) == 2
    (source / "broken.png").write_bytes(b"x")
    assert main(words) == 1


def test_copies_of_folders_within_folders_lie_in_one(source: Path, tmp_path: Path) -> None:
    for name in ("a.png", "trip/a.png", "trip/day 1/a.png", "trip/b [1].jpg", "out/only.png"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        photograph(len(name), (300, 200)).save(source / name)
    (source / "trip/a.txt").write_text("the sea")
    folders = "".join(
        f'[[dataset.concepts]]\nfolder = "{path}"\n'
        for path in (source, source / "trip", source / "trip/day 1", source / "out")
    )
    toml = tmp_path / "run.toml"
    toml.write_text(
        '[model]\nbase = "embedded:demo"\n[dataset]\nexclude = ["trip/b [1].jpg", "only.png"]\n'
        f"resolution = 64\n{folders}"
    )
    before = state(source)
    assert main(["resize", str(toml), "--into", str(tmp_path / "new"), "--json"]) == 0
    made = {path.name for path in (tmp_path / "new").iterdir()}
    names = {"a.png", "trip - a.png", "trip - a.txt", "trip - day 1 - a.png"}
    assert made == {*names, "resize.json"}
    assert max(new(source, "a.png").size) <= 128
    assert main(["resize", str(source), "--flat", "--into", str(tmp_path / "all")]) == 0
    everything = {path.name for path in (tmp_path / "all").iterdir()}
    assert everything == made | {"trip - b [1].jpg", "out - only.png"}
    assert state(source) == before


def test_captions_of_tables_come_along_by_the_copies_names(source: Path, tmp_path: Path) -> None:
    for name in ("a.bmp", "b.png", "2_mika/c.png", "2_mika/no caption.png"):
        write_picture(source / name, (300, 200))
    lines = [
        {"file_name": "a.bmp", "text": "an å"},
        {"file_name": "2_mika/c.png", "text": "from above"},
        {"file_name": "gone.png", "text": "of no picture here"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (source / "metadata.jsonl").write_text(text)
    meta = {"/elsewhere/2_mika/c.png": {"caption": "here", "tags": "one, two"}}
    (source / "2_mika/meta.json").write_text(json.dumps(meta))
    (source / "settings.json").write_text('{"theme": "dark"}')
    outcome = copies(source, Target((64, 64)))
    assert outcome.tabled == 3
    into = tmp_path / "new"
    assert not (into / "settings.json").exists()
    rows = [json.loads(line) for line in (into / "metadata.jsonl").read_text().splitlines()]
    assert rows == [
        {"file_name": "2_mika/c.png", "text": "from above"},
        {"file_name": "a.png", "text": "an å"},
    ]
    assert json.loads((into / "2_mika/meta.json").read_text()) == {
        "c.png": {"caption": "here, one, two"}
    }
    config = make_config(
        dataset={"folder": str(into / "2_mika"), "resolution": 64},
        captions={"metadata": str(into / "metadata.jsonl")},
    )
    captions = {item.name: item.caption for item in build_plan(config, SPEC).samples}
    assert captions["c.png"] == "from above", "as training reads it"


@pytest.mark.parametrize("is_flat", [True, False])
@pytest.mark.parametrize("name", ["metadata.jsonl", "meta.json"])
def test_tables_of_folders_do_not_mix_pictures_of_one_name(
    source: Path, tmp_path: Path, name: str, *, is_flat: bool
) -> None:
    for folder in ("1_a", "1_b", "1_c"):
        write_picture(source / folder / "x.png", (64, 64))
    for folder in ("1_a", "1_b"):
        said = {"file_name": "x.png", "text": folder}
        whole = json.dumps({"x.png": {"caption": folder}})
        text = json.dumps(said) if name.endswith("l") else whole
        (source / folder / name).write_text(text + "\n")
    assert copies(source, Target((64, 64)), is_flat=is_flat).tabled == 2
    into = tmp_path / "new"
    found: dict[str, str] = {}
    for folder in ("", "1_a", "1_b", "1_c"):
        if (into / folder / name).is_file():
            texts = read_table(into / folder / name, ",").texts
            found |= {str(Path(folder, picture)): text for picture, text in texts.items()}
    between = " - " if is_flat else "/"
    assert found == {f"{folder}{between}x.png": folder for folder in ("1_a", "1_b")}


def test_copies_of_copies_have_a_table_of_their_own(source: Path, tmp_path: Path) -> None:
    write_picture(source / "source.png", (300, 200))
    copies(source, Target((64, 64)))
    again = Order(tmp_path / "new", tmp_path / "newer", Target((32, 32)))
    resize(again)
    assert resize(again).current == 1, "its table says what was done"


def test_a_table_that_was_edited_since_is_only_added_to(source: Path, tmp_path: Path) -> None:
    write_picture(source / "a.png", (300, 200))
    (source / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "old"}\n')
    copies(source, Target((64, 64)))
    table = tmp_path / "new/metadata.jsonl"
    table.write_text('{"file_name": "a.png", "text": "mine"}\n')
    assert copies(source, Target((64, 64))).tabled == 0
    assert "mine" in table.read_text()
    write_picture(source / "b.png", (300, 200))
    with (source / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": "b.png", "text": "new"}\n')
    assert copies(source, Target((64, 64))).tabled == 1
    assert "mine" in table.read_text() and "new" in table.read_text()


def test_the_family_of_the_sizes_is_named(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_picture(source / "a.png", (300, 200))
    assert main(["resize", str(source)]) == 0
    assert "Sizes are those of SD 1.x" in capsys.readouterr().out
    assert main(["resize", str(source), "--to", "64", "--into", f"{source}-64"]) == 0
    assert "SD 1.x" not in capsys.readouterr().out
