"""Captions counted in CLIP's tokens, as its tokenizer cuts them. Free of torch."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from .clip_vocabulary import read_vocabulary

_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|[^\s\w]+|_", re.IGNORECASE)
_REMEMBERED = 50_000
_PATIENCE = 60.0


@dataclass(frozen=True)
class Counted:
    """Where in each text each of its tokens ends, without the marks around them."""

    ends: Sequence[Sequence[int]]
    is_exact: bool
    """Whether it is the tokenizer's own count, not the least that it can be."""


def count(folder: Path | None, texts: Sequence[str]) -> Counted:
    """By the vocabulary in ``folder``; by words, digits and marks, each a token at least, where
    there is none that is whole.

    The vocabulary is read by a process of its own, which is gone afterwards: in a wizard that is
    open for hours it would hold a quarter of all the memory. What was counted is remembered.
    """
    if folder is None:
        return _by_words(texts)
    try:
        stamps = tuple(file.stat().st_mtime_ns for file in sorted(folder.glob("*.[jt][sx]*")))
        known = _known(folder, stamps)
        if len(known) > _REMEMBERED:
            known.clear()
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, _elsewhere(folder, missing), strict=True))
    except (OSError, ValueError, subprocess.SubprocessError):
        # A damaged vocabulary is reported where the base is looked at.
        return _by_words(texts)
    return Counted([known[text] for text in texts], is_exact=True)


def _by_words(texts: Sequence[str]) -> Counted:
    return Counted([[found.end() for found in _PIECE.finditer(text)] for text in texts], False)


@lru_cache(2)
def _known(folder: Path, stamps: tuple[int, ...]) -> dict[str, Sequence[int]]:
    """What was counted by a vocabulary; ``stamps`` are its files' times."""
    return {}


def _elsewhere(folder: Path, texts: Sequence[str]) -> list[Sequence[int]]:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", __name__, str(folder)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    )
    return [array("I", ends) for ends in json.loads(ran.stdout)]


def ends_of(folder: Path, texts: Iterable[str]) -> list[list[int]]:
    """The same in this process. What it raises for a damaged vocabulary has no class of its own."""
    encode = _tokenizer(folder).encode
    # One by one: in batches the library starts threads, and warns of every process after.
    return [[end for _, end in encode(text, add_special_tokens=False).offsets] for text in texts]


def _tokenizer(folder: Path) -> Any:
    """As transformers makes CLIP's tokenizer."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    vocabulary, merges = read_vocabulary(folder)
    begin, end = "<|startoftext|>", "<|endoftext|>"
    pairs = [tuple(merge.split(" ")) for merge in merges]
    model: Any = models.BPE(
        vocab=vocabulary,
        merges=pairs,  # pyright: ignore[reportArgumentType]
        end_of_word_suffix="</w>",
        continuing_subword_prefix="",
        fuse_unk=False,
        unk_token=end,
    )
    tokenizer = Tokenizer(model)
    parts: Any = normalizers
    tokenizer.normalizer = parts.Sequence(
        [parts.NFC(), parts.Replace(Regex(r"\s+"), " "), parts.Lowercase()]
    )
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    cuts: Any = pre_tokenizers
    tokenizer.pre_tokenizer = cuts.Sequence(
        [
            cuts.Split(Regex(words), behavior="removed", invert=True),
            cuts.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.add_special_tokens([begin, end])
    return tokenizer


if __name__ == "__main__":
    json.dump(ends_of(Path(sys.argv[1]), json.load(sys.stdin)), sys.stdout)
