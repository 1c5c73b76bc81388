"""Captions counted in CLIP's tokens, as its tokenizer cuts them. Free of torch."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from .clip_vocabulary import read_vocabulary

_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|[^\s\w]+|_", re.IGNORECASE)
_REMEMBERED = 50_000


class Counter(Protocol):
    """Cuts texts into tokens."""

    @property
    def is_exact(self) -> bool:
        """Whether it is the tokenizer's own count, not the least that it can be."""
        ...

    def ends(self, text: str) -> list[int]:
        """Where in ``text`` each of its tokens ends, without the marks around them."""
        ...


class Tokens:
    """The count of a vocabulary on this machine."""

    is_exact = True

    def __init__(self, tokenizer: Any) -> None:
        self._encode = tokenizer.encode
        self.ends = lru_cache(_REMEMBERED)(self._ends)

    def _ends(self, text: str) -> list[int]:
        # One by one: in batches the library starts threads, and warns of every process after.
        return [end for _, end in self._encode(text, add_special_tokens=False).offsets]


class Words:
    """Words, digits and marks: a token at least each, where there is no vocabulary."""

    is_exact = False

    def ends(self, text: str) -> list[int]:
        return [found.end() for found in _PIECE.finditer(text)]


def counter(folder: Path | None) -> Counter:
    """By the vocabulary in ``folder``; by words where there is none that is whole."""
    if folder is not None:
        try:
            stamps = tuple(file.stat().st_mtime_ns for file in sorted(folder.glob("*.[jt][sx]*")))
            return _tokens(folder, stamps)
        except Exception:
            # A damaged vocabulary is reported where the base is looked at; the library's errors
            # have no class of their own.
            return Words()
    return Words()


@lru_cache(4)
def _tokens(folder: Path, stamps: tuple[int, ...]) -> Tokens:
    """As transformers makes CLIP's tokenizer; ``stamps`` are its files' times."""
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
    return Tokens(tokenizer)
