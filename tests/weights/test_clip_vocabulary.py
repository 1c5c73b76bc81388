"""Where CLIP's words come from when a checkpoint is a single file."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest
from checkpoints import write_words
from huggingface_hub import constants
from lora_wizard.core.weights.base_model import BaseModelError
from lora_wizard.core.weights.clip_vocabulary import (
    CLIP_TOKENS,
    HUB_ID,
    download_vocabulary,
    find_vocabulary,
    vocabulary_hash,
)


@pytest.fixture(autouse=True)
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "open_clip", None)
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "models/tokenizer",
        "models/some-diffusers-folder/tokenizer",
        f"hub/models--{HUB_ID.replace('/', '--')}/snapshots/abc",
        "hub/models--some--model/snapshots/abc/tokenizer",
    ],
)
def test_it_is_found_where_it_may_be(tmp_path: Path, place: str) -> None:
    assert find_vocabulary(CLIP_TOKENS, tmp_path / "models") is None
    folder = write_words(tmp_path / place)
    assert find_vocabulary(CLIP_TOKENS, tmp_path / "models") == folder


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', "[" * 99999])
def test_a_damaged_one_is_passed_over(tmp_path: Path, content: str) -> None:
    folder = write_words(tmp_path / "models/tokenizer")
    (folder / "vocab.json").write_text(content)
    assert find_vocabulary(CLIP_TOKENS, tmp_path / "models") is None


def test_one_of_another_size_is_passed_over(tmp_path: Path) -> None:
    write_words(tmp_path / "models/tokenizer", 100)
    assert find_vocabulary(CLIP_TOKENS, tmp_path / "models") is None
    assert find_vocabulary(100, tmp_path / "models") == tmp_path / "models/tokenizer"


def test_the_new_kind_of_tokenizer_file_holds_the_same_words(tmp_path: Path) -> None:
    old = write_words(tmp_path / "old", 300)
    (old / "merges.txt").write_text("#version: 0.2\na b\nc d\n")
    new = tmp_path / "new"
    new.mkdir()
    model = {"vocab": json.loads((old / "vocab.json").read_text())}
    for merges in ([["a", "b"], ["c", "d"]], ["a b", "c d"]):
        whole = {"model": {**model, "merges": merges}}
        (new / "tokenizer.json").write_text(json.dumps(whole))
        assert vocabulary_hash(new) == vocabulary_hash(old)


def test_the_package_open_clip_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site/open_clip"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('never imported')")
    merges = [f"a{number} b{number}</w>" for number in range(60_000)]
    with gzip.open(package / "bpe_simple_vocab_16e6.txt.gz", "wt") as file:
        file.write("\n".join(["a title", *merges]))
    monkeypatch.delitem(sys.modules, "open_clip")
    monkeypatch.syspath_prepend(str(package.parent))
    folder = find_vocabulary(CLIP_TOKENS, tmp_path / "models")
    assert folder
    vocabulary = json.loads((folder / "vocab.json").read_text())
    # As in CLIP: bytes, bytes that end a word, merges, the two marks.
    assert vocabulary["!"] == 0 and vocabulary["a</w>"] == 320
    assert vocabulary["a0b0</w>"] == 512
    assert (vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]) == (49406, 49407)


def test_its_absence_is_said_with_one_command(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match="vocabulary") as caught:
        download_vocabulary(CLIP_TOKENS, tmp_path)
    assert f"hf download {HUB_ID}" in caught.value.remedy
    with pytest.raises(BaseModelError, match="300") as caught:
        download_vocabulary(300, tmp_path)
    assert str(tmp_path / "tokenizer") in caught.value.remedy
