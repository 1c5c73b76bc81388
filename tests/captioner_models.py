"""Captioners' models in miniature, built once, and pictures for them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from lora_wizard.captioners import registry
from lora_wizard.captioners.base import CaptionModel, ModelSpec
from PIL import Image
from tiny_captioners import build_blip, build_blip2, build_florence2, build_llava, build_qwen

_KEPT = tempfile.TemporaryDirectory(prefix="lora-wizard-captioners-")
NAMES = ("blip", "blip2", "blip2-answers", "florence2", "qwen3", "qwen2.5", "llava")


@cache
def tiny(name: str) -> Path:
    """The miniature ``name`` of `NAMES`, built once. Read only: copy it to change something."""
    builders: dict[str, Callable[[Path], Path]] = {
        "blip": build_blip,
        "blip2": build_blip2,
        "blip2-answers": lambda folder: build_blip2(folder, answers=True),
        "florence2": build_florence2,
        "qwen3": build_qwen,
        "qwen2.5": lambda folder: build_qwen(folder, "2.5"),
        "llava": build_llava,
    }
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    return builders[name](Path(_KEPT.name, name))


def picture(seed: int, width: int = 40, height: int = 40) -> Image.Image:
    """Coloured noise: random weights tell such pictures apart."""
    made = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=made)
    return Image.fromarray(pixels.numpy())


def spec_of(name: str) -> ModelSpec:
    """The captioner that reads the miniature ``name``."""
    first = name.partition("-")[0]
    spec = registry.find(first if first in ("blip", "blip2", "florence2") else "vision_language")
    assert isinstance(spec, ModelSpec)
    return spec


def loaded(name: str, **options: Any) -> CaptionModel:
    """The captioner of the miniature ``name``; it writes 20 tokens at most unless told. Options
    that it does not have are passed over."""
    spec = spec_of(name)
    told = {"max_length": 20, "min_length": 0, "device": "cpu", **options}
    known = {key: value for key, value in told.items() if key in spec.options.model_fields}
    made = spec.options.model_validate({"model": str(tiny(name)), **known})
    assert spec.missing(made) == []
    return spec.load(made)
