"""A base model in a single ``.safetensors`` file in the original layout, read as if it were a
folder: configurations that the family inferred, and weights under diffusers' names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from .base_model import BaseModel, Part, file_hash
from .clip_vocabulary import download_vocabulary, find_vocabulary, vocabulary_hash
from .header import Header


@dataclass(frozen=True)
class SingleFile(BaseModel):
    """A checkpoint; ``folder`` is the file itself.

    ``configs`` are by part; ``header`` is the file's; ``weights`` gives, per part, the name in the
    file of each weight by the name that diffusers or transformers has for it.
    """

    configs: Mapping[str, Mapping[str, Any]]
    header: Header
    weights: Mapping[str, Mapping[str, str]]

    def has(self, part: str) -> bool:
        return part in self.configs

    def config(self, part: str, file: str = "config.json") -> dict[str, Any]:
        return dict(self.configs[part])

    def headers(self, part: Part) -> Iterator[Header]:
        tensors = self.header.tensors
        names = self.weights[part.folder]
        yield replace(self.header, tensors={new: tensors[old] for new, old in names.items()})

    @property
    def vocabulary_size(self) -> int:
        """Of the text encoder."""
        return int(self.configs["text_encoder"]["vocab_size"])

    def vocabulary(self) -> Path | None:
        return find_vocabulary(self.vocabulary_size, self.folder.parent)

    def tokenizer_folder(self) -> Path:
        return self._tokenizer_folder

    @cached_property
    def _tokenizer_folder(self) -> Path:
        # Downloaded at most once, and the same one throughout the run.
        return download_vocabulary(self.vocabulary_size, self.folder.parent)

    def content_hash(self, parts: Sequence[Part]) -> str:
        """SHA-256 over the file's contents and the vocabulary; the same wherever they lie."""
        both = f"{file_hash(self.folder)}\n{vocabulary_hash(self.tokenizer_folder())}\n"
        return sha256(both.encode()).hexdigest()


def names_in_file(
    header: Header, prefixes: Sequence[str], rename: Callable[[str], str | None]
) -> dict[str, str]:
    """Diffusers' name -> name in the file, of all tensors behind the first of ``prefixes`` that
    any has. What ``rename`` knows nothing of (None) is left out."""
    for prefix in prefixes:
        found = {
            new: name
            for name in header.tensors
            if name.startswith(prefix) and (new := rename(name[len(prefix) :]))
        }
        if found:
            return found
    return {}
