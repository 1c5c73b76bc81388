"""Captioners that are models, end to end: transformers' own classes in miniature."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from captioner_models import NAMES, loaded, picture
from lora_wizard.captioners.base import CaptionModel

MIXED = [(40, 40), (64, 30), (30, 90), (41, 57), (300, 20), (16, 16)]
"""Sizes of the pictures of a batch."""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_picture_depends_on_nothing_else_in_the_batch(name: str) -> None:
    model = loaded(name)
    pictures = [picture(seed, *size) for seed, size in enumerate(MIXED)]
    together = model.describe(pictures)
    assert together == [model.describe([one])[0] for one in pictures]
    assert together[::-1] == model.describe(pictures[::-1])
    assert len(set(together)) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_is_one_line_of_words(name: str) -> None:
    for text in loaded(name, max_length=60).describe([picture(seed) for seed in range(4)]):
        assert text and text.isprintable() and text == " ".join(text.split())
        for token in ("<pad>", "</s>", "[PAD]", "[SEP]", "<image>", "<|im_end|>", "<loc_1>"):
            assert token not in text


@pytest.mark.parametrize("name", ["blip", "blip2", "florence2"])
def test_more_beams_find_a_likelier_text(name: str) -> None:
    pictures = [picture(seed) for seed in range(6)]
    assert loaded(name, beams=1).describe(pictures) != loaded(name, beams=8).describe(pictures)


@pytest.mark.parametrize("name", ["blip", "blip2", "florence2", "qwen3"])
def test_a_caption_is_at_most_as_long_as_asked(name: str) -> None:
    pictures = [picture(seed) for seed in range(4)]
    short, long = (loaded(name, max_length=most).describe(pictures) for most in (5, 40))
    # A token of the miniatures is a letter; BLIP's may be a word of seven.
    assert max(map(len, short)) <= (5 * 8 if name == "blip" else 5)
    assert min(map(len, long)) > max(map(len, short)) or sum(map(len, long)) > 3 * sum(
        map(len, short)
    )


@pytest.mark.parametrize("name", ["blip", "blip2", "blip2-answers"])
def test_a_caption_is_at_least_as_long_as_asked(name: str) -> None:
    def length(least: int) -> int:
        model = loaded(name, min_length=least, max_length=40, beams=2)
        _wants_to_end(model)
        return len(model.describe([picture(0)])[0].replace(" ", ""))

    lengths = [length(least) for least in (0, 9, 30)]
    assert lengths[0] == 0 and lengths[1] >= 5 and lengths[2] >= lengths[1] + 15


def _wants_to_end(model: CaptionModel) -> None:
    """Make the end the likeliest token at any place."""
    network: Any = model._writer.model  # type: ignore[attr-defined]
    blip = hasattr(network, "text_decoder")
    head = network.text_decoder.cls.predictions.decoder if blip else network.language_model.lm_head
    head.bias = torch.nn.Parameter(torch.zeros(head.weight.shape[0]))
    head.bias.data[3 if blip else 1] = 1000


@pytest.mark.parametrize("name", ["blip", "blip2", "qwen3", "llava"])
def test_the_prompt_counts_and_is_not_part_of_the_caption(name: str) -> None:
    pictures = [picture(seed) for seed in range(4)]
    one, other = (
        loaded(name, prompt=prompt).describe(pictures) for prompt in ("photo of", "picture")
    )
    assert one != other
    for text in (*one, *other):
        assert not text.startswith(("photo of", "picture", "assistant", "user"))
        assert "photo of" not in text


def test_what_a_model_is_told_about_itself_counts() -> None:
    pictures = [picture(seed) for seed in range(4)]
    for name in ("qwen3", "llava"):
        told = loaded(name, system="You are a painter.").describe(pictures)
        assert told != loaded(name).describe(pictures)


def test_each_task_of_florence_says_something_else() -> None:
    pictures = [picture(seed) for seed in range(4)]
    said = [
        loaded("florence2", task=task).describe(pictures)
        for task in ("sentence", "detailed", "paragraph")
    ]
    assert said[0] != said[1] != said[2] != said[0]


def test_a_larger_resolution_shows_more() -> None:
    large = [picture(seed, 120, 100) for seed in range(4)]
    small, as_it_is = (loaded("qwen3", resolution=side).describe(large) for side in (64, 1024))
    assert small != as_it_is
    fits = [picture(seed, 60, 60) for seed in range(4)]
    assert loaded("qwen3", resolution=64).describe(fits) == loaded("qwen3").describe(fits)


@pytest.mark.parametrize("name", ["blip", "qwen3"])
def test_too_little_memory_is_passed_on_and_changes_nothing(name: str) -> None:
    model = loaded(name)
    pictures = [picture(seed) for seed in range(3)]
    before = model.describe(pictures)
    network: Any = model._writer.model  # type: ignore[attr-defined]
    vision = network.vision_model if name == "blip" else network.model.visual

    def is_full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    hook = vision.register_forward_pre_hook(is_full)
    with pytest.raises(torch.OutOfMemoryError):
        model.describe(pictures)
    hook.remove()
    assert model.describe(pictures) == before
