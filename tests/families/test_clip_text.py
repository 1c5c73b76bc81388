"""Long and weighted prompts, against plain calculations with transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lora_wizard.core.config import CaptionOptions
from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.families.sd1_model import StableDiffusion1
from tiny_sd import load

CAPTIONS = ["", "mika", "a" * 75, "b" * 76, "one two " * 12, "long words " * 40]
"""The tiny tokenizer has a token for each letter."""
PROMPT = SamplePrompt("a star", "blurry", 32, 32, 3, 7.5, 42, "euler")


@pytest.fixture(scope="module")
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


def encoded(family: StableDiffusion1, captions: Sequence[str], **options: Any) -> torch.Tensor:
    with torch.no_grad():
        return family.encode_prompts(captions, CaptionOptions(**options))["text"]


@torch.no_grad()
def plainly(family: StableDiffusion1, caption: str, chunks: int, clip_skip: int) -> torch.Tensor:
    """A caption's states, a chunk at a time."""
    tokenizer, encoder = family.tokenizer, family.text_encoder
    size = 75 * chunks + 2
    whole = tokenizer(caption, padding="max_length", truncation=True, max_length=size)["input_ids"]
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    states = []
    for at in range(chunks):
        tokens = [begin, *whole[1 + 75 * at : 76 + 75 * at], end]
        layers = encoder(torch.tensor([tokens]), output_hidden_states=True).hidden_states
        states.append(encoder.final_layer_norm(layers[-clip_skip])[0])
    first, last = states[0][:1], states[-1][-1:]
    return torch.cat([first, *(state[1:76] for state in states), last])


@pytest.mark.parametrize("clip_skip", [1, 2])
@pytest.mark.parametrize("max_tokens", [75, 150, 225])
def test_captions_are_encoded_in_chunks(tiny_sd: Path, max_tokens: int, clip_skip: int) -> None:
    family = load(tiny_sd, clip_skip=clip_skip)
    chunks = max_tokens // 75
    found = encoded(family, CAPTIONS, max_tokens=max_tokens)
    assert found.shape == (len(CAPTIONS), max_tokens + 2, 16)
    for caption, states in zip(CAPTIONS, found, strict=True):
        torch.testing.assert_close(states, plainly(family, caption, chunks, clip_skip))


def test_one_chunk_is_transformers_own_to_the_bit(family: StableDiffusion1) -> None:
    tokens = family.tokenizer(
        CAPTIONS, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        output: Any = family.text_encoder(tokens["input_ids"])
    assert torch.equal(encoded(family, CAPTIONS), output.last_hidden_state)
    assert torch.equal(family.encode_prompts(CAPTIONS)["text"], output.last_hidden_state)


def test_what_comes_behind_the_first_chunk_counts_only_where_it_is_read(
    family: StableDiffusion1,
) -> None:
    captions = ["x" * 75 + "end", "x" * 75 + "another"]
    short, long = encoded(family, captions), encoded(family, captions, max_tokens=150)
    assert torch.equal(short[0], short[1])
    assert torch.equal(long[0, :76], long[1, :76])
    assert not torch.equal(long[0], long[1])


@pytest.fixture
def shifted(tiny_sd: Path) -> StableDiffusion1:
    """With a final norm that leaves a mean, as a trained one does."""
    family = load(tiny_sd)
    norm: Any = family.text_encoder.final_layer_norm
    generator = torch.Generator().manual_seed(3)
    norm.weight.data += 0.5 * torch.randn(norm.weight.shape, generator=generator)
    norm.bias.data += 0.3
    return family


@pytest.mark.parametrize("max_tokens", [75, 150])
def test_weights_multiply_states_and_keep_the_mean(
    shifted: StableDiffusion1, max_tokens: int
) -> None:
    family = shifted
    before = encoded(family, ["ab cd " + "e " * 40 + "f " * 60], max_tokens=max_tokens)[0]
    after = encoded(
        family,
        ["ab (cd:1.5) " + "e " * 40 + "[" + "f " * 60 + "]"],
        max_tokens=max_tokens,
        weighted=True,
    )[0]
    weights = [1.0] + [1.0] * 2 + [1.5] * 2 + [1.0] * 40 + [1 / 1.1] * 60
    weights = (weights + [1.0] * 200)[: max_tokens + 2]
    if max_tokens == 75:
        weights[-1] = 1.0
    expected = before * torch.tensor(weights)[:, None]
    expected = expected * before.mean() / expected.mean()
    torch.testing.assert_close(after, expected)


def test_brackets_in_captions_are_letters_unless_asked(family: StableDiffusion1) -> None:
    texts = ["a (b:1.2)", "a b"]
    assert not torch.equal(*encoded(family, texts))
    plain, weighted = encoded(family, ["a (b:1.0)", "a b"], weighted=True)
    assert torch.equal(plain, weighted)
    assert torch.equal(encoded(family, [r"a \(b\)"], weighted=True), encoded(family, ["a (b)"]))


def test_a_weight_of_one_is_the_plain_prompt_to_the_bit(family: StableDiffusion1) -> None:
    whole = family.encode_sample_prompts(CAPTIONS, 1)
    with torch.no_grad():
        assert torch.equal(whole, family.encode_prompts(CAPTIONS)["text"])


@pytest.mark.parametrize(
    ("letters", "chunks"), [(0, 1), (1, 1), (75, 1), (76, 2), (150, 2), (151, 3), (600, 8)]
)
def test_how_many_chunks_a_prompt_takes(
    family: StableDiffusion1, letters: int, chunks: int
) -> None:
    assert family.prompt_chunks("x" * letters) == chunks
    assert family.prompt_chunks(f"({'x' * letters}:1.3)") == chunks


@pytest.mark.parametrize("guidance", [1.0, 7.5])
@pytest.mark.parametrize("where", ["prompt", "negative_prompt"])
def test_prompts_of_any_length_are_drawn_whole(
    family: StableDiffusion1, where: str, guidance: float
) -> None:
    start = "word " * 100
    prompts = [
        replace(PROMPT, guidance=guidance, **{where: start + end}) for end in ("star", "moon")
    ]
    one, other = family.sample(prompts)
    differ = where == "prompt" or guidance > 1
    assert (one.tobytes() != other.tobytes()) == differ


@pytest.mark.parametrize("where", ["prompt", "negative_prompt"])
def test_emphasis_is_seen_in_the_picture(family: StableDiffusion1, where: str) -> None:
    texts = ["red star", "red (star:1.6)", "red [star]", "red (star:1.0)"]
    pictures = [
        picture.tobytes()
        for text in texts
        for picture in family.sample([replace(PROMPT, **{where: text})])
    ]
    assert len(set(pictures)) == 3
    assert pictures[3] == pictures[0]


def test_a_short_prompt_is_the_same_beside_a_long_one(family: StableDiffusion1) -> None:
    long = replace(PROMPT, prompt="word " * 100)
    (alone,) = family.sample([PROMPT])
    beside = family.sample([PROMPT, long])[0]
    assert beside.tobytes() == alone.tobytes()


@pytest.mark.parametrize("prompt", ["(((((", "]]]]", "(a:-3)", "(a:0)", "(" * 3000 + "a"])
def test_strange_brackets_draw_a_picture(family: StableDiffusion1, prompt: str) -> None:
    assert family.encode_sample_prompts([prompt], 1).isfinite().all()
    assert family.sample([replace(PROMPT, prompt=prompt)])[0].size == (32, 32)
