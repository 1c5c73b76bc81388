"""What preflight says of pictures that were looked at, and of captions as a set."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lora_wizard.core import preflight
from lora_wizard.core.config import RunConfig, configfile
from lora_wizard.core.errors import Problem
from lora_wizard.core.look import examine
from lora_wizard.tui.cli import main
from photographs import photograph
from PIL import Image, ImageFilter, ImageOps

TAGS = ("smile", "outdoors", "hat", "tree", "sitting")
SENTENCE = "A woman is standing at the beach with her dog, and the sun is low"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(5):
        photograph(number).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"mika, {TAGS[number]}, {TAGS[number - 1]}")
    return folder


@pytest.fixture
def toml(folder: Path) -> Callable[..., Path]:
    def write(more: str = "") -> Path:
        path = folder.parent / "run.toml"
        path.write_text(
            f'[model]\nbase = "embedded:demo"\n[output]\nfolder = "{folder.parent}/out"\n'
            f'[dataset]\nfolder = "{folder}"\nresolution = 64\n{more}'
        )
        return path

    return write


def told(config: RunConfig, *keys: str, **options: Any) -> dict[str, Problem]:
    """By their first words."""
    found = preflight.inspect(config, **options).problems
    return {
        problem.message: problem
        for problem in found
        if not keys or problem.where in keys or problem.where.partition(".")[0] in keys
    }


def one(found: dict[str, Problem], words: str) -> Problem:
    (problem,) = (item for message, item in found.items() if words in message)
    assert problem.severity in ("warning", "note")
    return problem


def similar(folder: Path) -> None:
    photograph(0).resize((320, 240)).save(folder / "small.png")
    shutil.copy(folder / "1.png", folder / "again.png")
    photograph(7).filter(ImageFilter.GaussianBlur(6)).save(folder / "soft.png")
    ImageOps.expand(photograph(8), (0, 80), "black").save(folder / "film.png")


def test_what_was_looked_at_is_said_and_what_was_not_is_not(
    folder: Path, toml: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    similar(folder)
    config = configfile.load(toml(""))
    assert not any("same" in message for message in told(config))
    assert not (cache / "lora-wizard/look").exists(), "an assessment measures nothing"
    found = told(config, "dataset", look=True)
    monkeypatch.setattr(examine, "measure", None)
    assert told(config, "dataset") == found, "and remembers what was measured"
    copies = one(found, "2 pictures are the same as others, or nearly: again.png, small.png.")
    assert "lora-wizard look" in copies.remedy
    assert "soft.png" in one(found, "blurred").message
    assert "lora-wizard look" not in one(found, "blurred").remedy, "said once"
    assert "film.png" in one(found, "bars").message
    (mend,) = copies.mends
    assert mend.label == "Leave out these 2"
    values = mend.values["dataset.exclude"]
    left = config.dataset.model_copy(update={"exclude": values})
    after = told(config.model_copy(update={"dataset": left}))
    assert not any("same as others" in message for message in after)
    (folder / "small.png").unlink()
    one(told(config), "1 picture is the same as another, or nearly: again.png.")


def test_check_looks_itself(
    folder: Path, toml: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    similar(folder)
    path = toml("")
    assert main(["check", str(path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("the same as others, or nearly") == 1
    one(told(configfile.load(path)), "same as others")


def test_masks_that_say_nothing(folder: Path, toml: Callable[..., Path]) -> None:
    for number, ends in enumerate(((255, 255), (0, 0), (0, 255))):
        alpha = Image.new("L", (640, 480), ends[0])
        alpha.paste(ends[1], (0, 0, 320, 480))
        picture = photograph(number).convert("RGBA")
        picture.putalpha(alpha)
        picture.save(folder / f"{number}.png")
    config = configfile.load(toml('[loss]\nmask = "alpha"\n'))
    one(told(config, "loss.mask", look=True), "nothing of 1 picture counts: 1.png")
    one(told(config, "loss.mask"), "all of 1 picture counts: 0.png")
    decoded = preflight.inspect(config, decode=True).problems
    assert sum("nothing of" in item.message for item in decoded) == 1, "an error, and no more"
    Image.new("L", (640, 480), 255).save(folder / "3-mask.png")
    config = configfile.load(toml('[loss]\nmask = "file"\n'))
    one(told(config, "loss.mask", look=True), "all of 1 picture counts: 3.png")


def test_captions_of_two_kinds(folder: Path, toml: Callable[..., Path]) -> None:
    assert not told(configfile.load(toml()), "captions"), "tags alone are of one kind"
    (folder / "4.txt").write_text(SENTENCE)
    found = one(told(configfile.load(toml()), "captions"), "of two kinds: 4 of them lists of tags")
    assert "4.png" in found.remedy


def test_tags_of_the_subject_are_proposed(folder: Path, toml: Callable[..., Path]) -> None:
    for path in folder.glob("*.txt"):
        path.write_text(f"{path.read_text()}, blue_hair")
    found = one(told(configfile.load(toml()), "captions"), "1 tag seems to describe the subject")
    assert "blue_hair" in found.message
    assert "tags DATASET --prune" in found.remedy


def test_trigger_words_not_equally_often(folder: Path, toml: Callable[..., Path]) -> None:
    words = '[captions]\ntrigger_words = ["mika"]\n'
    assert not told(configfile.load(toml(words)), "captions")
    (folder / "2.txt").write_text("a photo of mika, hat")
    found = one(told(configfile.load(toml(words)), "captions"), "more or less often")
    assert found.message.endswith("than the others (1): 2.png (2).")


def test_a_word_that_begins_nearly_all_captions(folder: Path, toml: Callable[..., Path]) -> None:
    (folder / "3.txt").write_text("tree, hat")
    (found,) = told(configfile.load(toml()), "captions").values()
    assert found.message.startswith("'mika' begins 4 of 5 captions")
    assert found.message.endswith("and not 3.png.")
    assert found.mends[0].values == {"captions.trigger_words": ["mika"]}
    for path in folder.glob("*.txt"):
        path.write_text(f"1girl, {path.stem}" if path.stem != "0" else "hat, 0")
    key = "captions.trigger_words"
    assert not told(configfile.load(toml()), key), "what any caption has is none"


def test_too_few_class_pictures_can_be_drawn(folder: Path, toml: Callable[..., Path]) -> None:
    key = "dataset.regularization_folder"
    path = toml(f'regularization_folder = "{folder.parent}/class"\n')
    (missing,) = told(configfile.load(path), key).values()
    assert "lora-wizard regularize" in missing.remedy
    assert missing.mends[-1].values == {key: ""}
    (folder.parent / "class").mkdir()
    assert "lora-wizard regularize" in next(iter(told(configfile.load(path), key).values())).remedy
    photograph(9).save(folder.parent / "class/1.png")
    few = one(told(configfile.load(path), key), "5 regularization pictures are used in an epoch")
    assert "lora-wizard regularize" in few.remedy


def test_left_out_pictures_are_named_in_the_toml_too(
    folder: Path, toml: Callable[..., Path]
) -> None:
    similar(folder)
    config = configfile.load(toml('exclude = ["set/soft.png"]\n'))
    found = told(config, "dataset", look=True)
    (mend,) = one(found, "same as others").mends
    assert mend.values["dataset.exclude"] == ["set/soft.png", "set/again.png", "set/small.png"]
    assert not any("blurred" in message for message in found)
    assert tomllib.loads(toml().read_text())["dataset"]["folder"] == str(folder)
