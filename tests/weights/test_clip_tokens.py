"""Captions counted without torch, against transformers' own tokenizer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config.paths import templates_folder
from lora_wizard.core.weights import clip_tokens
from lora_wizard.core.weights.clip_tokens import count, ends_of
from transformers import CLIPTokenizer

EMBEDDED = templates_folder() / "demo/base/tokenizer"
TEXTS = [
    "a photo of a red circle, 1girl, it's blue!!",
    "Größe 猫 🦊 ﬁ ́e",
    "a  b\t\nc",
    "don't we'll I'm they'd",
    "<|endoftext|> in the middle <|startoftext|>",
    "____ 12345 x_y",
    "",
]


@pytest.fixture(scope="module", params=["embedded", "letters", "one file"])
def folder(
    request: pytest.FixtureRequest, tiny_sd: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "embedded":
        return EMBEDDED
    if request.param == "letters":
        return tiny_sd / "tokenizer"
    whole = tmp_path_factory.mktemp("tokenizer")
    CLIPTokenizer.from_pretrained(EMBEDDED).save_pretrained(whole)
    for name in ("vocab.json", "merges.txt"):
        (whole / name).unlink(missing_ok=True)
    return whole


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return CLIPTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("text", TEXTS)
def test_the_count_is_transformers_own(folder: Path, theirs: Any, text: str) -> None:
    (found,) = ends_of(folder, [text])
    assert len(found) == len(theirs(text, add_special_tokens=False)["input_ids"])


@given(text=st.text(max_size=60))
def test_the_count_of_any_text_is_transformers_own(folder: Path, theirs: Any, text: str) -> None:
    (found,) = ends_of(folder, [text])
    assert len(found) == len(theirs(text, add_special_tokens=False)["input_ids"])
    assert all(0 <= end <= len(text) for end in found)


def test_tokens_end_where_their_words_end() -> None:
    text = "red circle on a green background"
    (ends,) = ends_of(EMBEDDED, [text])
    assert {3, 10, 13, 15, 21, 32} <= set(ends)


@given(st.text(max_size=60))
def test_words_are_never_more_than_tokens(text: str) -> None:
    (words,), (tokens,) = count(None, [text]).ends, ends_of(EMBEDDED, [text])
    assert len(words) <= len(tokens) or not text.isascii()


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"a": "b"}', "7"])
def test_a_vocabulary_that_is_not_whole_counts_words(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "tokenizer"
    if content is not None:
        shutil.copytree(EMBEDDED, folder)
        (folder / "vocab.json").write_text(content)
    found = count(folder, ["two words"])
    assert not found.is_exact
    assert [len(ends) for ends in found.ends] == [2]
    assert not count(None, []).is_exact


def test_a_vocabulary_that_was_mended_counts(tmp_path: Path) -> None:
    folder = tmp_path / "tokenizer"
    shutil.copytree(EMBEDDED, folder)
    whole = (folder / "vocab.json").read_text()
    (folder / "vocab.json").write_text("{")
    assert not count(folder, ["red"]).is_exact
    (folder / "vocab.json").write_text(whole)
    assert count(folder, ["red"]).is_exact


def test_what_is_forgotten_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_tokens, "_REMEMBERED", 1)
    for texts in (["one", "two"], ["two", "three"], ["one", "three"]):
        assert count(EMBEDDED, texts).is_exact


def test_the_process_of_its_own_counts_the_same_and_leaves_nothing(folder: Path) -> None:
    counted = count(folder, [*TEXTS, *TEXTS])
    assert counted.is_exact
    assert [list(ends) for ends in counted.ends] == 2 * ends_of(folder, TEXTS)
    code = (
        "import sys; from pathlib import Path\n"
        "from lora_wizard.core.weights.clip_tokens import count\n"
        f"assert count(Path({str(folder)!r}), ['red']).is_exact\n"
        "assert 'tokenizers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
