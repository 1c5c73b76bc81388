"""Stable Diffusion 1.x checkpoints in the original layout, made from folders in diffusers' layout:
the product's map of names, turned round."""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
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
from transformers import CLIPTextConfig, CLIPTextModel

SD15: dict[str, dict[str, Any]] = {
    "unet": {
        "block_out_channels": [320, 640, 1280, 1280],
        "down_block_types": [*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"],
        "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3],
        "layers_per_block": 2,
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
    },
    "vae": {
        "block_out_channels": [128, 256, 512, 512],
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
        "layers_per_block": 2,
        "latent_channels": 4,
    },
    "text_encoder": {
        "vocab_size": 49408,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "max_position_embeddings": 77,
    },
}
"""The configurations of stable-diffusion-v1-5, as far as shapes depend on them."""


@cache
def sd15_tensors() -> dict[str, torch.Tensor]:
    """Stable Diffusion 1.5's checkpoint: names and shapes, without numbers."""
    with torch.device("meta"):
        modules: dict[str, torch.nn.Module] = {
            "unet": UNet2DConditionModel(**SD15["unet"]),
            "vae": AutoencoderKL(**SD15["vae"]),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**SD15["text_encoder"])),
        }
    return original({name: module.state_dict() for name, module in modules.items()}, SD15)


def write_sd15(path: Path, **metadata: str) -> Path:
    """A file as Stable Diffusion 1.5's, of zeros that take no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes = {name: tuple(tensor.shape) for name, tensor in sd15_tensors().items()}
    return write_header(path, shapes, **metadata)


def write_words(folder: Path, count: int = 49408) -> Path:
    """A vocabulary of as many tokens as CLIP's, which is no good for anything else."""
    words = [f"word{number}" for number in range(count - 2)]
    folder.mkdir(parents=True)
    tokens = [*words, "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder


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
