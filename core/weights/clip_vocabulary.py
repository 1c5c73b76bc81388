"""CLIP's vocabulary, which single-file checkpoints do not hold.

It is looked for beside the checkpoint, in the hub's cache (whatever model brought it), in the
installed package open_clip_torch, and at last at the hub, which is asked once: 1.5 MB.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import WizardError
from ..files import write_json, write_text
from ..places import cache_folder
from .base_model import BaseModelError

CLIP_TOKENS = 49408
HUB_ID = "openai/clip-vit-large-patch14"
FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
COMMAND = f"hf download {HUB_ID} vocab.json merges.txt"
"""What brings it to a machine that is online."""
_START, _END = "<|startoftext|>", "<|endoftext|>"
_MOST_FOLDERS = 200
_BPE = "bpe_simple_vocab_16e6.txt.gz"


def find_vocabulary(size: int, beside: Path) -> Path | None:
    """A folder on this machine with a CLIP tokenizer of ``size`` tokens; ``beside`` is the folder
    of the checkpoint. None when there is none."""
    for folder in _candidates(size, beside):
        if _tokens(folder) == size:
            return folder
    return _from_open_clip() if size == CLIP_TOKENS else None


def download_vocabulary(size: int, beside: Path) -> Path:
    """As `find_vocabulary`, and asks the hub last. Raises BaseModelError."""
    if found := find_vocabulary(size, beside):
        return found
    if size != CLIP_TOKENS:
        raise unknown_words(size, beside)
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(HUB_ID, allow_patterns=list(FILES)))
    except Exception as error:
        # As with any download, the client's errors are of many libraries, and may hold addresses.
        raise missing_vocabulary(type(error).__name__) from None
    if _tokens(folder) != size:
        raise missing_vocabulary("it came damaged")
    return folder


def unreachable_vocabulary(patience: float) -> str:
    """Why the vocabulary cannot be had from the hub; empty when it can. Waits ``patience`` seconds
    at most, as far as the client obeys."""
    from huggingface_hub import HfApi
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    try:
        HfApi().model_info(HUB_ID, timeout=patience)
    except Exception as error:
        return type(error).__name__
    return ""


def unknown_words(size: int, beside: Path) -> BaseModelError:
    """The error of a text encoder whose vocabulary is nowhere to be had."""
    return BaseModelError(
        "The checkpoint's words are not CLIP's",
        f"its text encoder has {size:,} tokens, where CLIP has {CLIP_TOKENS:,}",
        f"Put its tokenizer (vocab.json, merges.txt) into {beside / 'tokenizer'}.",
    )


def missing_vocabulary(why: str) -> BaseModelError:
    """The error of a machine that neither has the vocabulary nor reaches the hub."""
    return BaseModelError(
        "CLIP's vocabulary is not on this machine",
        f"a single file does not hold it, and the hub cannot be reached ({why})",
        f"Where there is a connection, once: {COMMAND} (or pip install --no-deps open_clip_torch).",
    )


def vocabulary_hash(folder: Path) -> str:
    """SHA-256 of the tokens and merges, however the folder writes them down."""
    vocabulary, merges = read_vocabulary(folder)
    content = json.dumps([sorted(vocabulary.items()), merges], ensure_ascii=True)
    return sha256(content.encode()).hexdigest()


def _candidates(size: int, beside: Path) -> Iterator[Path]:
    yield beside / "tokenizer"
    if size != CLIP_TOKENS:
        return
    from huggingface_hub.constants import HF_HUB_CACHE

    for place, pattern in (
        (beside, "*/tokenizer"),
        (Path(HF_HUB_CACHE), f"models--{HUB_ID.replace('/', '--')}/snapshots/*"),
        (Path(HF_HUB_CACHE), "models--*/snapshots/*/tokenizer"),
    ):
        with contextlib.suppress(OSError):
            yield from sorted(islice(place.glob(pattern), _MOST_FOLDERS))


def _tokens(folder: Path) -> int:
    """How many tokens the tokenizer in ``folder`` has; 0 when there is none that is whole."""
    try:
        vocabulary, _ = read_vocabulary(folder)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return 0
    return len(vocabulary) if {_START, _END} <= vocabulary.keys() else 0


def read_vocabulary(folder: Path) -> tuple[dict[str, int], list[str]]:
    """The vocabulary and the merges, from the two old files or the one new one."""
    if (folder / "vocab.json").exists():
        vocabulary: Any = json.loads((folder / "vocab.json").read_bytes())
        merges: Any = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    else:
        model = json.loads((folder / "tokenizer.json").read_bytes())["model"]
        vocabulary = dict(model["vocab"])
        # Pairs, or both halves in one text: it changed between versions.
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    if not isinstance(vocabulary, dict):
        raise TypeError("not an object")
    return vocabulary, [line for line in merges if line and not line.startswith("#version")]


def _from_open_clip() -> Path | None:
    """A tokenizer made of the word list in the package open_clip_torch, kept in our cache."""
    folder = cache_folder() / "clip-tokenizer"
    if _tokens(folder) == CLIP_TOKENS:
        return folder
    # Looked for, not imported: it would bring torch and torchvision along.
    spec = importlib.util.find_spec("open_clip")
    for place in spec.submodule_search_locations or [] if spec else []:
        with contextlib.suppress(OSError, EOFError, ValueError, WizardError):
            _write_tokenizer(folder, Path(place) / _BPE)
            return folder if _tokens(folder) == CLIP_TOKENS else None
    return None


def _write_tokenizer(folder: Path, word_list: Path) -> None:
    """The list's first line is a title; its merges in order make the vocabulary: every byte, every
    byte at a word's end, every merge, and the two marks."""
    with gzip.open(word_list, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")
    symbols = _byte_symbols()
    merges = lines[1 : CLIP_TOKENS - 2 * len(symbols) - 2 + 1]
    tokens = [*symbols, *(f"{symbol}</w>" for symbol in symbols)]
    tokens += ["".join(merge.split()) for merge in merges]
    tokens += [_START, _END]
    special = {"bos_token": _START, "eos_token": _END, "unk_token": _END, "pad_token": _END}
    write_json(folder / "special_tokens_map.json", special, durable=False)
    write_json(
        folder / "tokenizer_config.json",
        {**special, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"},
        durable=False,
    )
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *merges, ""]), durable=False)
    # Last: a folder without it is no tokenizer yet.
    vocabulary = {token: number for number, token in enumerate(tokens)}
    write_json(folder / "vocab.json", vocabulary, durable=False)


def _byte_symbols() -> list[str]:
    """A visible letter for each byte, in the vocabulary's order: those that are visible by
    themselves first."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(0x100) if byte not in visible]
    return [chr(byte) for byte in visible] + [chr(0x100 + place) for place in range(len(rest))]
