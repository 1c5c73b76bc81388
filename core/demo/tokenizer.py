"""Makes the embedded model's tokenizer: a byte-complete BPE in CLIP's file format."""

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 77
_WORD_END = "</w>"


def byte_symbols() -> list[str]:
    """One printable character for each of the 256 bytes, as byte-level BPE writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    symbols = {byte: chr(byte) for byte in printable}
    symbols |= {byte: chr(256 + rank) for rank, byte in enumerate(others)}
    return [symbols[byte] for byte in range(256)]


def learn_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Merge the commonest pair, ties by alphabet, until every word is a single symbol."""
    pieces = [[*word[:-1], word[-1] + _WORD_END] for word in sorted(set(words))]
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for word in pieces for pair in itertools.pairwise(word))
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces = [_merged(word, best) for word in pieces]


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    for symbol in word:
        if result and (result[-1], symbol) == pair:
            result[-1] += symbol
        else:
            result.append(symbol)
    return result


def write_tokenizer(folder: Path, words: Sequence[str]) -> int:
    """Write CLIP's tokenizer files; returns the size of the vocabulary.

    Every byte is a symbol, inside a word and at its end: nothing is unknown, and two words that
    differ are encoded differently.
    """
    symbols, merges = byte_symbols(), learn_merges(words)
    tokens = [*symbols, *(symbol + _WORD_END for symbol in symbols)]
    tokens += [first + second for first, second in merges]
    # Merging "ab"+"c" and "a"+"bc" may spell the same token twice.
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    for special in (START, END):
        vocabulary[special] = len(vocabulary)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["#version: 0.2", *(f"{first} {second}" for first, second in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _write_json(folder / "vocab.json", vocabulary)
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    _write_json(folder / "special_tokens_map.json", special)
    settings = {"model_max_length": MAX_LENGTH, "tokenizer_class": "CLIPTokenizer"}
    _write_json(folder / "tokenizer_config.json", special | settings)
    return len(vocabulary)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
