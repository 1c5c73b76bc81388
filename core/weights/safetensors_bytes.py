"""Tensors to the bytes of a safetensors file, the same bytes for the same content.

The safetensors library writes its metadata in whatever order its hash map has, so that two saves
of one LoRA differ; here names are sorted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch

from .header import ITEM_BITS

_NAMES: Mapping[torch.dtype, str] = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ALIGNMENT = 8


def serialize(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """A whole safetensors file. Tensors lie where the safetensors library would put them (wide
    types first, then by name), so that hashes over the data agree with other tools'."""
    return header_bytes(tensors, metadata) + data_bytes(tensors)


def header_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """The length and the JSON that stand before the data."""
    content: dict[str, object] = {}
    if metadata:
        content["__metadata__"] = {name: _utf8(metadata[name]) for name in sorted(metadata)}
    position = 0
    for name in _order(tensors):
        tensor = tensors[name]
        end = position + tensor.numel() * tensor.element_size()
        content[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def data_bytes(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """The tensors' bytes, in the file's order."""
    return b"".join(_raw(tensors[name]) for name in _order(tensors))


def _order(tensors: Mapping[str, torch.Tensor]) -> list[str]:
    return sorted(tensors, key=lambda name: (-ITEM_BITS[_NAMES[tensors[name].dtype]], name))


def _raw(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
