"""The embedded tokenizer: nothing is unknown, and different words are encoded differently."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_wizard.core.demo.captions import WORDS
from lora_wizard.core.demo.tokenizer import byte_symbols, learn_merges, write_tokenizer
from transformers import CLIPTokenizer

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder, WORDS)
    return CLIPTokenizer.from_pretrained(folder)


def _normal(text: str) -> str:
    # What CLIP's tokenizer leaves out of account: case, composition and white space.
    return "".join(unicodedata.normalize("NFC", text).lower().split())


def test_all_bytes_have_a_symbol() -> None:
    assert len(set(byte_symbols())) == 256


def test_every_word_of_the_world_is_one_token(tokenizer: CLIPTokenizer) -> None:
    for word in WORDS:
        assert len(tokenizer(word).input_ids) == 3, word


def test_merges_make_each_word_whole() -> None:
    assert learn_merges(["ab", "abc"]) == [("a", "b"), ("a", "b</w>"), ("ab", "c</w>")]


def test_special_tokens_are_clips(tokenizer: CLIPTokenizer) -> None:
    assert tokenizer.model_max_length == 77
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == len(tokenizer) - 1
    assert tokenizer.bos_token_id == len(tokenizer) - 2
    padded = tokenizer("a", padding="max_length").input_ids
    assert len(padded) == 77 and padded[-1] == tokenizer.eos_token_id


@settings(deadline=None, max_examples=200)
@given(_TEXT)
def test_nothing_is_unknown_and_everything_comes_back(tokenizer: CLIPTokenizer, text: str) -> None:
    ids = tokenizer(text).input_ids[1:-1]
    assert tokenizer.unk_token_id not in ids
    assert _normal(str(tokenizer.decode(ids))) == _normal(text)


@settings(deadline=None, max_examples=200)
@given(_TEXT, _TEXT)
def test_different_words_are_encoded_differently(
    tokenizer: CLIPTokenizer, first: str, second: str
) -> None:
    if _normal(first) != _normal(second):
        assert tokenizer(first).input_ids != tokenizer(second).input_ids
