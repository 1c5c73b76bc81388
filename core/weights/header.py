"""A safetensors file's header, read without torch and without trust.

The format: eight bytes with the header's length, little endian; the header, a JSON object; the
tensors' bytes without gaps. https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WizardError

MAX_HEADER_BYTES = 32 << 20
"""The largest checkpoints have headers of a few hundred KiB; sd-scripts' tag lists reach MiB."""
ITEM_BITS: Mapping[str, int] = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
}
_METADATA = "__metadata__"
_LENGTH_BYTES = 8


class HeaderError(WizardError):
    """The file is not a whole safetensors file."""


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies: ``start`` and ``end`` count from the first byte after the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself. ``data_start`` is the offset of the first tensor's
    byte in the file."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]
    data_start: int


def read_header(path: Path) -> Header:
    """Read and check the header of ``path``: no more of the file than that is read.

    Raises HeaderError: empty, truncated (an upload or download that was cut off), not safetensors,
    a header that is too long, is not what the format asks for, or does not match the file's size.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(_LENGTH_BYTES)
            length = int.from_bytes(prefix, "little")
            _check_length(path, size, length)
            raw = file.read(length)
    except OSError as error:
        raise HeaderError(
            "The file cannot be read", f"{path}: {error.strerror or error}", "Check the path."
        ) from error
    return parse_header(raw, size - _LENGTH_BYTES - length, str(path))


def parse_header(raw: bytes, data_bytes: int, name: str) -> Header:
    """The header from its JSON bytes; ``data_bytes`` is what follows it in the file, ``name`` what
    the file is called in errors. Raises HeaderError."""
    try:
        content = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _bad(name, f"its header is not JSON ({str(error)[:80]})") from None
    if not isinstance(content, dict):
        raise _bad(name, "its header is not a JSON object")
    metadata = content.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _bad(name, "its metadata are not texts")
    tensors = {key: _tensor(name, key, value) for key, value in content.items()}
    _check_layout(name, tensors, data_bytes)
    return Header(tensors, metadata, _LENGTH_BYTES + len(raw))


def _check_length(path: Path, size: int, length: int) -> None:
    if size < _LENGTH_BYTES:
        what = "is empty" if size == 0 else f"has only {size} bytes"
        raise _cut_off(str(path), f"it {what}")
    if length > MAX_HEADER_BYTES:
        raise _bad(str(path), f"its header would be {length:,} bytes long")
    if _LENGTH_BYTES + length > size:
        raise _cut_off(str(path), "it ends inside its header")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is there twice")
    return content


def _tensor(name: str, key: str, value: Any) -> TensorInfo:
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        raise _bad(name, f"its entry {key[:80]!a} is not a tensor")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BITS:
        raise _bad(name, f"its tensor {key[:80]!a} is of an unknown type")
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise _bad(name, f"its tensor {key[:80]!a} has an impossible shape or place")
    bits = math.prod(shape) * ITEM_BITS[dtype]
    if bits != 8 * (offsets[1] - offsets[0]):
        raise _bad(name, f"its tensor {key[:80]!a} is not as long as its shape")
    return TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 2**63 for item in value
    )


def _check_layout(name: str, tensors: Mapping[str, TensorInfo], data_bytes: int) -> None:
    position = 0
    for info in sorted(tensors.values(), key=lambda info: (info.start, info.end)):
        if info.start != position:
            raise _bad(name, "its tensors overlap or leave gaps")
        position = info.end
    if position > data_bytes:
        raise _cut_off(name, f"{position - data_bytes:,} bytes are missing")
    if position < data_bytes:
        raise _bad(name, f"{data_bytes - position:,} bytes too many follow its tensors")


def _bad(name: str, why: str) -> HeaderError:
    return HeaderError(
        "This is not a whole safetensors file", f"{name}: {why}", "Download or save it again."
    )


def _cut_off(name: str, why: str) -> HeaderError:
    return HeaderError(
        "The file is incomplete",
        f"{name}: {why}",
        "A download or upload was cut off, or a disk was full: copy it again.",
    )
