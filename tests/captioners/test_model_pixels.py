"""What a model gets to see, and what it makes of it, against published numbers and a calculation
by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from captioner_models import loaded, picture, tiny
from lora_wizard.captioners.model_files import Kind
from lora_wizard.captioners.transformers_model import load_image_processor, load_processor
from PIL import Image

CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
PUBLISHED: list[tuple[str, dict[str, Any], tuple[int, int], Any]] = [
    ("blip", {"image_processor_type": "BlipImageProcessor", "size_divisor": 32}, (384, 384), CLIP),
    ("blip2", {"image_processor_type": "BlipImageProcessor", "resample": 3}, (224, 224), CLIP),
    (
        "florence2",
        {
            "image_processor_type": "CLIPImageProcessor",
            "resample": 3,
            "do_center_crop": False,
            "crop_size": {"height": 768, "width": 768},
            "image_seq_length": 577,
        },
        (768, 768),
        IMAGENET,
    ),
    ("llava", {"image_processor_type": "SiglipImageProcessor", "resample": 3}, (384, 384), HALF),
]
"""As the hub's preprocessor_config.json has it: of BLIP, BLIP-2 (OPT 2.7b), Florence-2 and
JoyCaption."""


def by_hand(shown: Image.Image, size: tuple[int, int], numbers: Any) -> torch.Tensor:
    """Bicubic to width x height, from 0 to 1, less the mean, by the deviation; (1, 3, H, W)."""
    resized = shown.resize(size, Image.Resampling.BICUBIC)
    mean, deviation = (np.array(number, dtype=np.float32) for number in numbers)
    values = (np.asarray(resized, dtype=np.float32) / 255 - mean) / deviation
    return torch.from_numpy(values.transpose(2, 0, 1).copy())[None]


def with_images(tmp_path: Path, name: str, config: dict[str, Any]) -> str:
    folder = shutil.copytree(tiny(name), tmp_path / name)
    (folder / "processor_config.json").unlink(missing_ok=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.mark.parametrize(("name", "config", "size", "numbers"), PUBLISHED)
def test_pictures_are_prepared_as_published(
    name: str, config: dict[str, Any], size: tuple[int, int], numbers: Any, tmp_path: Path
) -> None:
    mean, deviation = numbers
    folder = with_images(
        tmp_path,
        name,
        {
            **config,
            "size": {"height": size[1], "width": size[0]},
            "image_mean": mean,
            "image_std": deviation,
        },
    )
    kind = Kind(title="", usual="", type={"llava": "", "blip2": "blip-2"}.get(name, name))
    images = load_image_processor(folder, kind)
    for shown in (picture(1, 640, 480), picture(2, 90, 1000), picture(3, 5, 3)):
        seen = images(images=[shown], return_tensors="pt")["pixel_values"]
        assert torch.allclose(seen, by_hand(shown, size, numbers), atol=1e-5)


@pytest.mark.parametrize(("patch", "numbers"), [(16, HALF), (14, CLIP)])
def test_qwen_cuts_a_picture_into_patches_as_published(
    patch: int, numbers: Any, tmp_path: Path
) -> None:
    config = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "patch_size": patch,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "size": {"shortest_edge": 65536, "longest_edge": 16777216},
        "image_mean": numbers[0],
        "image_std": numbers[1],
    }
    folder = with_images(tmp_path, "qwen3", config)
    processor = load_processor(folder, Kind(title="", usual=""))
    shown = picture(1, 650, 470)
    width, height = (round(side / (2 * patch)) * 2 * patch for side in shown.size)
    seen = processor.image_processor(images=[shown], return_tensors="pt")
    assert seen["image_grid_thw"].tolist() == [[1, height // patch, width // patch]]
    pixels = by_hand(shown, (width, height), numbers)[0]
    # Patches in squares of two by two; each twice, as a film of two frames.
    for index, (row, column) in {0: (0, 0), 1: (0, 1), 2: (1, 0), 3: (1, 1), 4: (0, 2)}.items():
        cut = pixels[:, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
        twice = torch.stack([cut, cut], dim=1).flatten()
        assert torch.allclose(seen["pixel_values"][index], twice, atol=1e-5)


def greedily(
    likeliest: Callable[[torch.Tensor], torch.Tensor], tokens: list[int], most: int, end: int
) -> list[int]:
    """The tokens after ``tokens``, each the likeliest, up to ``end``."""
    written: list[int] = []
    while len(written) < most and end not in written:
        logits = likeliest(torch.tensor([[*tokens, *written]]))
        written.append(int(logits[0, -1].argmax()))
    return [token for token in written if token != end]


def numbers_of(folder: Path, parts: Sequence[str]) -> list[int]:
    """The numbers of special tokens and, letter by letter, of other texts."""
    found = json.loads((folder / "tokenizer.json").read_bytes())
    known = dict(found["model"]["vocab"])
    known |= {added["content"]: added["id"] for added in found["added_tokens"]}
    letters = {" ": "\u0120", "\n": "\u010a"}
    return [
        known[token]
        for part in parts
        for token in ([part] if part in known else [letters.get(char, char) for char in part])
    ]


def test_blip_says_what_it_says_by_hand() -> None:
    folder = tiny("blip")
    model: Any = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
    words = transformers.AutoTokenizer.from_pretrained(folder)
    begin = [len(words.vocab), *(words.vocab[word] for word in ("a", "picture", "of"))]
    said = loaded("blip", beams=1)
    for seed in range(3):
        shown = picture(seed, 50, 70)
        with torch.inference_mode():
            seen = model.vision_model(by_hand(shown, (32, 32), CLIP))[0]
            written = greedily(
                lambda ids, seen=seen: model.text_decoder(ids, encoder_hidden_states=seen).logits,
                begin,
                20,
                3,
            )
        by_itself = words.decode([token for token in written if 4 < token < begin[0]])
        assert said.describe([shown]) == [by_itself]


def test_blip2_says_what_it_says_by_hand() -> None:
    folder = tiny("blip2")
    model: Any = transformers.Blip2ForConditionalGeneration.from_pretrained(folder).eval()
    begin = numbers_of(folder, ["<image>"] * 4 + ["</s>", "photo of"])
    said = loaded("blip2", beams=1, prompt="photo of")
    shown = picture(1, 50, 70)
    pixels = by_hand(shown, (32, 32), CLIP)
    with torch.inference_mode():
        written = greedily(
            lambda ids: model(input_ids=ids, pixel_values=pixels).logits, begin, 20, 1
        )
    assert said.describe([shown]) == [as_text(folder, written)]


def test_florence_says_what_it_says_by_hand() -> None:
    folder = tiny("florence2")
    model: Any = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    asked = "Describe with a paragraph what is shown in the image."
    prompt = torch.tensor([numbers_of(folder, ["<image>"] * 5 + ["<s>", asked, "</s>"])])
    said = loaded("florence2", beams=1, task="paragraph", max_length=20)
    shown = picture(1, 50, 70)
    pixels = by_hand(shown, (64, 64), CLIP)
    with torch.inference_mode():
        written = greedily(
            lambda ids: model(input_ids=prompt, pixel_values=pixels, decoder_input_ids=ids).logits,
            [2],
            19,
            2,
        )
    assert said.describe([shown]) == [as_text(folder, written)]


def test_joycaption_says_what_it_says_by_hand() -> None:
    folder = tiny("llava")
    model: Any = transformers.LlavaForConditionalGeneration.from_pretrained(folder).eval()
    parts = ["<|begin|>", "<|role|>", "user", "<|role|>", *["<image>"] * 4, "What is it?"]
    prompt = numbers_of(folder, [*parts, "<|end|>", "<|role|>", "assistant", "<|role|>"])
    said = loaded("llava", prompt="What is it?")
    shown = picture(1, 50, 70)
    pixels = by_hand(shown, (32, 32), HALF)
    with torch.inference_mode():
        written = greedily(
            lambda ids: model(input_ids=ids, pixel_values=pixels).logits, prompt, 20, 2
        )
    assert said.describe([shown]) == [as_text(folder, written)]


@pytest.mark.parametrize("name", ["qwen3", "qwen2.5"])
def test_qwen_says_what_it_says_by_hand(name: str) -> None:
    folder = tiny(name)
    model: Any = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    images = load_image_processor(str(folder), Kind(title="", usual=""))
    shown = picture(1, 44, 70)
    seen = images(images=[shown], return_tensors="pt")
    places = int(seen["image_grid_thw"].prod()) // 4
    parts = ["<|im_start|>", "user\n", "<|vision_start|>", *["<|image_pad|>"] * places]
    parts += ["<|vision_end|>", "What is it?", "<|im_end|>", "\n", "<|im_start|>", "assistant\n"]
    prompt = numbers_of(folder, parts)
    picture_token = numbers_of(folder, ["<|image_pad|>"])[0]
    with torch.inference_mode():
        written = greedily(
            lambda ids: (
                model(input_ids=ids, mm_token_type_ids=(ids == picture_token).int(), **seen).logits
            ),
            prompt,
            20,
            numbers_of(folder, ["<|im_end|>"])[0],
        )
    said = loaded(name, prompt="What is it?").describe([shown])
    assert said == [as_text(folder, written)]


def as_text(folder: Path, tokens: Sequence[int]) -> str:
    """Letters for numbers; special tokens are none, spaces are single."""
    vocabulary = json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]
    letters = {number: letter for letter, number in vocabulary.items() if len(letter) == 1}
    text = "".join(letters.get(token, "") for token in tokens)
    return " ".join(text.replace("\u0120", " ").replace("\u010a", "\n").split())
