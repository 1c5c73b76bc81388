"""Stable Diffusion 1.x checkpoints in the original layout, made from folders in diffusers' layout:
the product's map of names, turned round."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import torch
from lora_wizard.core.weights.single_file_names import (
    TEXT_PREFIXES,
    UNET_PREFIX,
    VAE_LINEAR,
    VAE_PREFIX,
    renamed,
    reversed_map,
    unet_map,
    vae_map,
)
from safetensors.torch import load_file, save_file


def checkpoint_of(folder: Path, file: Path, **metadata: str) -> Path:
    """Write the base in ``folder`` as the single file ``file``, its tokenizer beside it."""
    parts = {
        name: load_file(next((folder / name).glob("*.safetensors")))
        for name in ("unet", "vae", "text_encoder")
    }
    configs = {name: json.loads((folder / name / "config.json").read_text()) for name in parts}
    save_file(original(parts, configs), file, {"format": "pt", **metadata})
    tokenizer = file.parent / "tokenizer"
    tokenizer.mkdir(exist_ok=True)
    for path in (folder / "tokenizer").iterdir():
        (tokenizer / path.name).write_bytes(path.read_bytes())
    return file


def original(
    parts: dict[str, dict[str, torch.Tensor]], configs: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """The tensors of a base under their original names, in their original shapes."""
    unet, vae = configs["unet"], configs["vae"]
    attention = ["CrossAttn" in kind for kind in unet["down_block_types"]]
    of_unet = reversed_map(unet_map(attention, unet["layers_per_block"]))
    of_vae = reversed_map(vae_map(len(vae["block_out_channels"]), vae["layers_per_block"]))
    found: dict[str, torch.Tensor] = {}
    for name, tensor in parts["unet"].items():
        found[f"{UNET_PREFIX}{renamed(name, of_unet)}"] = tensor
    for name, tensor in parts["vae"].items():
        shaped = tensor[:, :, None, None] if name.endswith(VAE_LINEAR) else tensor
        found[f"{VAE_PREFIX}{renamed(name, of_vae)}"] = shaped.clone()
    for name, tensor in parts["text_encoder"].items():
        found[f"{TEXT_PREFIXES[0]}{name.removeprefix('text_model.')}"] = tensor
    found[f"{TEXT_PREFIXES[0]}embeddings.position_ids"] = torch.arange(77)[None]
    return found


def write_header(path: Path, shapes: dict[str, tuple[int, ...]], **metadata: str) -> Path:
    """A whole safetensors file of ``shapes`` in fp16, whose zeros take no room on the disk."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * torch.Size(shape).numel()
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + end)
    return path
