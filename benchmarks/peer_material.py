"""What both sides train on: a base model of random weights, and pictures in each side's layout."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from tiny_sd import write_tokenizer

THIN_WIDTHS = (64, 128, 256, 256)
REAL_WIDTHS = (320, 640, 1280, 1280)
SHAPES = ((4, 4), (3, 4), (4, 3), (2, 3), (3, 2))
"""Of the pictures, in turn."""


@dataclass(frozen=True)
class Material:
    base: Path
    tokenizers: Path
    """In the layout of sd-scripts' ``--tokenizer_cache_dir``."""
    widths: tuple[int, ...]
    folders: Path
    """kohya's layout: ``1_mika`` with captions beside the pictures."""
    listed: Path
    """The same pictures with a ``metadata.jsonl``, as diffusers' script wants them."""


def make(folder: Path, pictures: int, side: int, *, real_size: bool) -> Material:
    widths = REAL_WIDTHS if real_size else THIN_WIDTHS
    base, tokenizers = folder / "base", folder / "tokenizers"
    vocabulary = write_tokenizer(base / "tokenizer")
    write_tokenizer(tokenizers / "openai_clip-vit-large-patch14")
    torch.manual_seed(0)
    write_parts(base, vocabulary, widths, real_size=real_size)
    folders, listed = folder / "folders", folder / "listed"
    draw_pictures(folders / "1_mika", listed, pictures, side)
    return Material(base, tokenizers, widths, folders, listed)


def write_parts(base: Path, vocabulary: int, widths: tuple[int, ...], *, real_size: bool) -> None:
    """Stable Diffusion 1.5 in width and depth, or a thin one of 37.5, 5.3 and 10 million."""
    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=widths,
        cross_attention_dim=768,
        attention_head_dim=8,
    )
    of_levels: dict[str, Any] = {
        "block_out_channels": (128, 256, 512, 512) if real_size else (32, 64, 128, 128),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    vae = AutoencoderKL(**of_levels, layers_per_block=2, latent_channels=4, sample_size=512)
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=768,
            intermediate_size=3072 if real_size else 1536,
            num_hidden_layers=12 if real_size else 2,
            num_attention_heads=12,
            bos_token_id=vocabulary - 2,
            eos_token_id=vocabulary - 1,
            pad_token_id=vocabulary - 1,
        )
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    parts = {"unet": unet, "vae": vae, "text_encoder": text_encoder, "scheduler": scheduler}
    classes = {"tokenizer": ["transformers", "CLIPTokenizer"]}
    for name, part in parts.items():
        part.save_pretrained(base / name)
        library = "transformers" if name == "text_encoder" else "diffusers"
        classes[name] = [library, type(part).__name__]
    empty = {
        name: [None, None] for name in ("safety_checker", "feature_extractor", "image_encoder")
    }
    index = {"_class_name": "StableDiffusionPipeline", **classes, **empty}
    (base / "model_index.json").write_text(json.dumps(index))


def draw_pictures(captioned: Path, listed: Path, number: int, side: int) -> None:
    """Noise, so that nothing is gained from equal pixels; ``side``: of the square ones' half more
    than the training's."""
    captioned.mkdir(parents=True)
    listed.mkdir()
    draw = random.Random(0)
    lines: list[str] = []
    for at in range(number):
        across, down = SHAPES[at % len(SHAPES)]
        size = (side * 3 * across // 8, side * 3 * down // 8)
        name, caption = f"{at:05}.png", f"mika, picture {at} of many, in a garden"
        small = Image.frombytes("RGB", (16, 16), draw.randbytes(768))
        small.resize(size, Image.Resampling.BICUBIC).save(captioned / name, compress_level=1)
        (listed / name).hardlink_to(captioned / name)
        (captioned / name).with_suffix(".txt").write_text(caption)
        lines.append(json.dumps({"file_name": name, "text": caption}) + "\n")
    (listed / "metadata.jsonl").write_text("".join(lines))
