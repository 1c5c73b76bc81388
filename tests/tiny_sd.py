"""A Stable Diffusion 1.x base of random weights in the diffusers layout, built in a second.

The real classes with few channels: everything that reads a base model reads this one. It draws
noise; for pictures that mean something there is the embedded base.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from lora_wizard.core.config import ModelOptions
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.networks.base import Network
from transformers import CLIPTextConfig, CLIPTextModel

START, END = "<|startoftext|>", "<|endoftext|>"


def build(
    folder: Path,
    *,
    vae_factor: int = 4,
    prediction_type: str = "epsilon",
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    like_sd1: bool = False,
) -> Path:
    """Write a base to ``folder`` and return it. ``vae_factor`` is 2, 4 or 8 pixels per latent.
    ``like_sd1``: with the heads and groups of Stable Diffusion 1.x, which no shape tells."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vocabulary_size = write_tokenizer(folder / "tokenizer")
        for name, module in _modules(vae_factor, vocabulary_size, like_sd1).items():
            (module if dtype == torch.float32 else module.to(dtype)).save_pretrained(folder / name)
    _scheduler(prediction_type).save_pretrained(folder / "scheduler")
    _write_json(folder / "model_index.json", _INDEX)
    return folder


def load(folder: Path, **options: Any) -> StableDiffusion1:
    """The family loaded from ``folder``, on the CPU, in fp32 unless ``options`` say otherwise."""
    given = ModelOptions(base=str(folder), **{"precision": "fp32", **options})
    return StableDiffusion1(given, torch.device("cpu"))


def stir(network: Network, seed: int = 1, size: float = 0.3) -> None:
    """Random weights everywhere in ``network``, as if it had been trained."""
    generator = torch.Generator().manual_seed(seed)
    network.load_state_dict(
        {
            name: weight + size * torch.randn(weight.shape, generator=generator)
            for name, weight in network.state_dict().items()
        }
    )


def write_tokenizer(folder: Path) -> int:
    """A CLIP tokenizer that knows single bytes only; returns the size of its vocabulary."""
    symbols = _byte_symbols()
    tokens = [*symbols, *(f"{symbol}</w>" for symbol in symbols), START, END]
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    folder.mkdir(parents=True)
    _write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(
        folder / "tokenizer_config.json",
        {**special, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"},
    )
    return len(tokens)


def _modules(vae_factor: int, vocabulary_size: int, like_sd1: bool) -> dict[str, Any]:
    levels = vae_factor.bit_length()
    width, groups, heads, text = (32, 32, 8, 64) if like_sd1 else (8, 4, 2, 16)
    of_levels: dict[str, Any] = {
        "block_out_channels": (width,) * levels,
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
    }
    vae = AutoencoderKL(
        **of_levels,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=groups,
        sample_size=32,
    )
    unet = UNet2DConditionModel(
        sample_size=32 // vae_factor,
        block_out_channels=(width, 2 * width),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=text,
        attention_head_dim=heads,
        norm_num_groups=groups,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary_size,
            hidden_size=text,
            intermediate_size=2 * text,
            projection_dim=text,
            num_hidden_layers=3,
            num_attention_heads=text // 64 or 2,
            max_position_embeddings=77,
            bos_token_id=vocabulary_size - 2,
            eos_token_id=vocabulary_size - 1,
            pad_token_id=vocabulary_size - 1,
        )
    )
    return {"vae": vae, "unet": unet, "text_encoder": text_encoder}


def _scheduler(prediction_type: Any) -> PNDMScheduler:
    return PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction_type,
    )


def _byte_symbols() -> list[str]:
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    stand_ins = iter(range(0x100, 0x200))
    return [chr(byte) if byte in visible else chr(next(stand_ins)) for byte in range(0x100)]


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
