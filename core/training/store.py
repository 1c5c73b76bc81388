"""Encoded pictures and prompts on disk, one safetensors file each, under the key of all that they
depend on. Shared by all runs, also by runs at the same time: whoever comes second overwrites a
file with the same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ..files import write_bytes

_CHECKSUM = "sha256"
_LENGTH_BYTES = 8

Tensors = dict[str, torch.Tensor]


def content_key(**parts: Any) -> str:
    """SHA-256 over all that an entry depends on. Parts are JSON values."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class TensorStore:
    """Tensors by `content_key`. Never torn by a killed process; and since entries are written
    without waiting for the disk, one that a power cut emptied is told by its checksum."""

    def __init__(self, folder: Path, memory_bytes: int = 2 << 30) -> None:
        """``memory_bytes``: how much of what was read is kept in memory for the next epoch."""
        self.folder = folder
        self._memory: dict[str, Tensors] = {}
        self._room = memory_bytes

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def get(self, key: str) -> Tensors | None:
        """The entry, on the CPU; None when there is none or it is damaged."""
        if key in self._memory:
            return self._memory[key]
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        tensors = _decoded(data)
        if tensors is not None:
            self._remember(key, tensors, len(data))
            with contextlib.suppress(OSError):
                # What was read last is what `cache_room` lets go last.
                os.utime(path)
        return tensors

    def put(self, key: str, tensors: Mapping[str, torch.Tensor]) -> None:
        """Store an entry. Raises WriteError."""
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        write_bytes(self.path(key), _encoded(held), durable=False)

    def has(self, key: str) -> bool:
        """Whether the entry is there and whole; reads it, so that training finds it in memory."""
        return self.get(key) is not None

    def _remember(self, key: str, tensors: Tensors, size: int) -> None:
        if size <= self._room:
            self._room -= size
            self._memory[key] = tensors


def _encoded(tensors: Tensors) -> bytes:
    checksum = _body_checksum(safetensors.torch.save(tensors))
    return safetensors.torch.save(tensors, metadata={_CHECKSUM: checksum})


def _decoded(data: bytes) -> Tensors | None:
    try:
        header = json.loads(data[_LENGTH_BYTES : _body_start(data)])
        if header["__metadata__"][_CHECKSUM] != _body_checksum(data):
            return None
        return safetensors.torch.load(data)
    except Exception:
        # Whatever a damaged file makes a parser say, the remedy is to encode again.
        return None


def _body_start(data: bytes) -> int:
    return _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")


def _body_checksum(data: bytes) -> str:
    return hashlib.sha256(memoryview(data)[_body_start(data) :]).hexdigest()
