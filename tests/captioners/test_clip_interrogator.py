"""Words ranked by CLIP: the same ones that its own forward pass and plain numpy find."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_clip
import torch
from lora_wizard.captioners import registry
from lora_wizard.captioners.clip_interrogator import (
    SPEC,
    ClipInterrogator,
    ClipInterrogatorOptions,
    picture_values,
)
from lora_wizard.captioners.word_lists import LISTS, list_path, read_words
from lora_wizard.core.errors import WizardError
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip.build(tmp_path_factory.mktemp("clip"))


def picture(seed: int, width: int = 50, height: int = 40) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def options(model: Path | str, **given: Any) -> ClipInterrogatorOptions:
    return ClipInterrogatorOptions.model_validate({"model": str(model), **given})


def load(model: Path | str, **given: Any) -> ClipInterrogator:
    loaded = SPEC.load(options(model, **given))
    assert isinstance(loaded, ClipInterrogator)
    return loaded


def expected(
    clip: Path, image: Image.Image, lists: list[list[str]], most: int, least: float
) -> str:
    """By CLIP's forward pass, which compares pictures with texts itself, and numpy."""
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": tiny_clip.SIDE},
        crop_size={"height": tiny_clip.SIDE, "width": tiny_clip.SIDE},
    )
    model = CLIPModel.from_pretrained(clip).eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip)
    said = []
    for words in lists:
        inputs = tokenizer(words, padding=True, return_tensors="pt")
        with torch.no_grad():
            found = model(**inputs, **processor(image, return_tensors="pt"))
        logits = found.logits_per_image[0].numpy()
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        best = np.argsort(-shares)[:most]
        said += [words[place] for place in best if shares[place] >= least]
    return ", ".join(said)


@pytest.mark.parametrize(("most", "least"), [(1, 0.0), (3, 0.0), (20, 0.04), (3, 0.1)])
def test_the_words_are_those_that_numpy_finds(clip: Path, most: int, least: float) -> None:
    names = ["mood", "time"]
    lists = [read_words(list_path(name)) for name in names]
    loaded = load(clip, lists=names, words_per_list=most, least_share=least)
    for seed in range(3):
        wanted = expected(clip, picture(seed), lists, most, least)
        assert loaded.describe([picture(seed)]) == [wanted]


def test_different_pictures_get_different_words_whatever_the_batch(clip: Path) -> None:
    loaded = load(clip, lists=["subject", "tones"], least_share=0.0)
    pictures = [picture(n, 40 + 9 * n, 70 - 5 * n) for n in range(6)]
    together = loaded.describe(pictures)
    assert len(set(together)) > 2
    assert together == [text for one in pictures for text in loaded.describe([one])]
    assert together == load(clip, lists=["subject", "tones"], least_share=0.0).describe(pictures)
    assert loaded.describe([]) == []


def test_a_list_of_ones_own_comes_after_the_others(clip: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("\ufeff# mine\n\n  a  zibbu \na zibbu\nein Vögelchen\n", encoding="utf-8")
    loaded = load(clip, lists=["mood"], own_list=str(own), words_per_list=2, least_share=0.0)
    (text,) = loaded.describe([picture(1)])
    mood = read_words(list_path("mood"))
    words = text.split(", ")
    assert len(words) == 4 and {*words[:2]} <= {*mood}
    assert {*words[2:]} == {"a zibbu", "ein Vögelchen"}


def test_a_word_of_two_lists_is_said_once(clip: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("\n".join(reversed(read_words(list_path("mood")))))
    given = {"words_per_list": 5, "least_share": 0.0}
    (once,) = load(clip, lists=["mood"], **given).describe([picture(0)])
    assert load(clip, lists=["mood"], own_list=str(own), **given).describe([picture(0)]) == [once]


def test_a_phrase_longer_than_clip_reads_is_cut(clip: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    long = "word " * 200
    own.write_text(long)
    assert load(clip, lists=[], own_list=str(own)).describe([picture(0)]) == [long.strip()]


def test_a_picture_that_is_a_mere_line_is_looked_at_in_its_middle() -> None:
    line = Image.new("RGB", (1, 200_000), "red")
    line.paste("blue", (0, 99_990, 1, 100_010))
    whole = Image.new("RGB", (8, 8), "blue")
    side = 1024
    found = picture_values(line, side)
    assert torch.allclose(found, picture_values(whole, side), atol=1e-5)


@pytest.mark.parametrize("size", [(50, 40), (33, 90), (32, 32), (20, 11), (500, 300), (1, 7)])
def test_pictures_are_prepared_as_published(size: tuple[int, int]) -> None:
    image = picture(4, *size)
    side = {"height": tiny_clip.SIDE, "width": tiny_clip.SIDE}
    processor = CLIPImageProcessorPil(size={"shortest_edge": tiny_clip.SIDE}, crop_size=side)
    published = processor(image, return_tensors="np")["pixel_values"][0]
    np.testing.assert_allclose(picture_values(image, tiny_clip.SIDE).numpy(), published, atol=1e-5)


def test_every_list_that_comes_along_is_sound() -> None:
    files = {path.stem for path in list_path(LISTS[0]).parent.iterdir()}
    assert files == {*LISTS}
    words = [word for name in LISTS for word in read_words(list_path(name))]
    assert len(words) > 300
    assert len(words) == len({*words})
    assert all(len(word) <= 40 and "," not in word for word in words)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no file"),
        (b"", "no words"),
        (b"# only a remark\n", "no words"),
        (b"a\xff\n", "cannot be read"),
        (b"a\x1b[2Jb\n", "control characters"),
        (b"word\n" * 300_000, "too long"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(
    clip: Path, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    own = tmp_path / "own.txt"
    if content is not None:
        own.write_bytes(content)
    (problem,) = SPEC.missing(options(clip, own_list=str(own)))
    assert problem.where == "own_list" and reason in problem.message and problem.remedy
    with pytest.raises(WizardError, match=reason):
        load(clip, own_list=str(own))


def test_a_path_that_is_none_is_told(clip: Path) -> None:
    for path in ("~nobody/words.txt", "a\0b"):
        (problem,) = SPEC.missing(options(clip, own_list=path))
        assert problem.where == "own_list" and problem.remedy


def test_lists_that_are_not_there_are_told(clip: Path) -> None:
    (problem,) = SPEC.missing(options(clip, lists=["mood", "taste"]))
    assert problem.where == "lists" and "taste" in problem.message and "tones" in problem.remedy
    (problem,) = SPEC.missing(options(clip, lists=[]))
    assert problem.where == "lists"


def test_a_model_that_is_not_here_is_told_with_the_command(tmp_path: Path) -> None:
    (problem,) = SPEC.missing(ClipInterrogatorOptions())
    assert problem.remedy == (
        "Download it once (1.7 GB): hf download openai/clip-vit-large-patch14 config.json "
        "model.safetensors tokenizer.json"
    )
    (problem,) = SPEC.missing(options(tmp_path))
    assert "no folder with a config.json" in problem.message
    assert "model.safetensors" in problem.remedy


def test_a_damaged_model_is_told(tmp_path: Path) -> None:
    folder = tiny_clip.build(tmp_path / "clip")
    config = json.loads((folder / "config.json").read_bytes())

    def write(name: str, content: bytes) -> None:
        (folder / name).write_bytes(content)

    def told(match: str) -> None:
        with pytest.raises(WizardError, match=match) as caught:
            load(folder, lists=["mood"])
        assert "\n" not in caught.value.message

    weights = (folder / "model.safetensors").read_bytes()
    tokenizer = (folder / "tokenizer.json").read_bytes()
    write("tokenizer.json", b"{}")
    told("cannot be loaded")
    write("tokenizer.json", tokenizer)
    write("model.safetensors", weights[: len(weights) // 2])
    told("is no whole file")
    write("model.safetensors", (8).to_bytes(8, "little") + b"{}      ")
    told("weights are missing")
    write("config.json", json.dumps({**config, "model_type": "siglip"}).encode())
    told("no CLIP model: it is called 'siglip'")
    write("config.json", b"[]")
    told("no CLIP model")


def test_a_gpu_that_is_asked_for_and_not_there_is_told(clip: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(WizardError, match="no GPU"):
        load(clip, device="cuda")


def test_asking_what_is_missing_loads_nothing_heavy(clip: Path) -> None:
    code = (
        "import sys\n"
        "from lora_wizard.captioners import registry\n"
        "spec = registry.find('clip_interrogator')\n"
        "print(spec.missing(spec.options(model=sys.argv[1])))\n"
        "heavy = ['torch', 'transformers', 'numpy', 'tokenizers']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    words = [sys.executable, "-c", code, str(clip)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[]\n[]\n", ran.stderr


def test_it_is_found_by_its_name() -> None:
    assert registry.find("clip_interrogator") is SPEC
