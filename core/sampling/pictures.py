"""Drawn pictures as PNG files that say how they were drawn. Free of torch."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin

from ..families.base import SamplePrompt
from ..files import write_bytes
from .samplers import SAMPLERS


def parameters(prompt: SamplePrompt) -> str:
    """How a picture was drawn, as A1111 writes it and most viewers read it."""
    label = SAMPLERS[prompt.sampler].label if prompt.sampler in SAMPLERS else prompt.sampler
    settings = (
        f"Steps: {prompt.steps}, Sampler: {label}, CFG scale: {prompt.guidance:g}, "
        f"Seed: {prompt.seed}, Size: {prompt.width}x{prompt.height}"
    )
    lines = [prompt.prompt]
    if prompt.negative_prompt:
        lines.append(f"Negative prompt: {prompt.negative_prompt}")
    return "\n".join([*lines, settings])


def png_bytes(image: Image.Image, texts: Mapping[str, str]) -> bytes:
    """A PNG with ``texts`` inside (UTF-8); the same picture and texts give the same bytes."""
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text.encode("utf-8", "replace").decode("utf-8"))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def write_picture(
    path: Path, image: Image.Image, prompt: SamplePrompt, notes: Mapping[str, str | int]
) -> str:
    """Write a PNG by the write protocol; returns its SHA-256. ``notes`` are further texts, such as
    the step. Raises WriteError."""
    texts = {"parameters": parameters(prompt), **{key: str(value) for key, value in notes.items()}}
    return write_bytes(path, png_bytes(image, texts))
