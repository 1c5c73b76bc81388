"""LoRA files in kohya's format: read by A1111, Forge, ComfyUI, InvokeAI and diffusers.

Keys are ``<prefix><layer's path with _ for .>.lora_down.weight``, ``.lora_up.weight``, ``.alpha``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..errors import EXIT_FAILED, WizardError
from ..files import write_bytes
from .header import read_header
from .safetensors_bytes import data_bytes, header_bytes

if TYPE_CHECKING:
    from ..config import Precision
    from ..networks.base import Network

_DTYPES: Mapping[str, torch.dtype] = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "fp32": torch.float32,
}
_LEGACY_START, _LEGACY_LENGTH = 0x100000, 0x10000


class SaveError(WizardError):
    """The LoRA was not saved; a file that stood there before still stands."""

    exit_code = EXIT_FAILED
    resume_helps = False


def save(path: Path, network: Network, precision: Precision, metadata: Mapping[str, str]) -> str:
    """Write ``network`` to ``path`` by the write protocol, which reads it back from the disk;
    returns the file's SHA-256. See `to_bytes`.

    Raises SaveError (nothing is written then), WriteError when the disk refuses.
    """
    return write_bytes(path, to_bytes(network, precision, metadata))


def to_bytes(network: Network, precision: Precision, metadata: Mapping[str, str]) -> bytes:
    """The whole file of ``network``: the same weights and metadata give the same bytes.

    ``metadata`` comes from `metadata.build`; the hashes are added here.

    Raises SaveError for weights that are not finite, also after rounding to ``precision``, and for
    bytes that the safetensors library reads otherwise.
    """
    return file_bytes(at_precision(network.file_tensors(), precision), metadata)


def file_bytes(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """As `to_bytes`, for tensors that are as they shall be in the file."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise SaveError(
                "The LoRA holds numbers that are not finite, and is not saved",
                f"{name} holds NaN or infinity",
                "Lower the learning rate; with fp16, train or save in bf16 or fp32.",
            )
    data = data_bytes(tensors)
    hashed = {**metadata, **_hashes(tensors, metadata, data)}
    content = header_bytes(tensors, hashed) + data
    _check_readable(content, tensors)
    return content


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """(tensors, metadata) of a safetensors file, on the CPU.

    Raises HeaderError when it is not a whole safetensors file.
    """
    from safetensors.torch import load

    header = read_header(path)
    return load(path.read_bytes()), dict(header.metadata)


def load_into(network: Network, path: Path) -> dict[str, str]:
    """Give ``network`` the weights of a file; returns the file's metadata.

    Raises HeaderError, or WizardError when the file is for another base, other parts or another
    rank.
    """
    tensors, metadata = read(path)
    try:
        network.load_file_tensors(tensors)
    except WizardError as error:
        error.message = f"{path}: {error.message}"
        raise
    return metadata


def at_precision(
    tensors: Mapping[str, torch.Tensor], precision: Precision
) -> dict[str, torch.Tensor]:
    """``tensors`` rounded to ``precision``; an alpha that would not survive it stays fp32, since
    it scales everything."""
    dtype = _DTYPES[precision]
    rounded = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if name.endswith(".alpha") and not torch.equal(rounded[name].float(), tensor.float()):
            rounded[name] = tensor.float()
    return rounded


def _hashes(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str], data: bytes
) -> dict[str, str]:
    """What A1111's additional networks look a LoRA up by: SHA-256 over the data; and the old one,
    over 64 KiB at 1 MiB of the file as it would be with its ``ss_`` metadata alone."""
    digest = hashlib.sha256(data).hexdigest()
    head = header_bytes(tensors, {k: v for k, v in metadata.items() if k.startswith("ss_")})
    window = (head + data[: _LEGACY_START + _LEGACY_LENGTH])[_LEGACY_START:][:_LEGACY_LENGTH]
    return {
        "modelspec.hash_sha256": f"0x{digest}",
        "sshs_model_hash": digest,
        "sshs_legacy_hash": hashlib.sha256(window).hexdigest()[:8],
    }


def _check_readable(content: bytes, tensors: Mapping[str, torch.Tensor]) -> None:
    from safetensors.torch import load

    found = load(content)
    same = found.keys() == tensors.keys() and all(
        found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
        for name, tensor in tensors.items()
    )
    if not same:
        raise SaveError(
            "The LoRA's file would read back differently, and is not saved",
            remedy="This is a fault of lora-wizard or of the memory; please report it.",
        )
