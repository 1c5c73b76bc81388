"""What a folder is that was given as a base model."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from .base_model import BaseModelError, read_json
from .recognition import Recognition

_INDEX = "model_index.json"
_PIPELINES: Mapping[str, tuple[str, str]] = {
    "StableDiffusionXLPipeline": ("sdxl", "Stable Diffusion XL"),
    "StableDiffusionXLImg2ImgPipeline": ("sdxl", "Stable Diffusion XL"),
    "StableDiffusion3Pipeline": ("sd3", "Stable Diffusion 3"),
    "FluxPipeline": ("flux", "Flux.1"),
    "FluxKontextPipeline": ("flux", "Flux.1 Kontext"),
    "Flux2Pipeline": ("flux2", "Flux.2"),
    "Flux2KleinPipeline": ("flux2", "Flux.2 Klein"),
    "ChromaPipeline": ("chroma", "Chroma"),
    "QwenImagePipeline": ("qwen_image", "Qwen-Image"),
    "ZImagePipeline": ("z_image", "Z-Image"),
    "SanaPipeline": ("sana", "Sana"),
    "Lumina2Pipeline": ("lumina2", "Lumina 2"),
    "AuraFlowPipeline": ("auraflow", "AuraFlow"),
    "PixArtSigmaPipeline": ("pixart", "PixArt"),
    "PixArtAlphaPipeline": ("pixart", "PixArt"),
    "HiDreamImagePipeline": ("hidream", "HiDream"),
    "WanPipeline": ("wan", "Wan"),
}
_STABLE_DIFFUSION = "StableDiffusion"
_SD2_WIDTH = 1024
_SHOWN = 3
_MOST = 50
_REMEDY = (
    "Give a .safetensors checkpoint, a folder with model_index.json, a hub id, or embedded:demo."
)


def recognise_folder(folder: Path) -> Recognition | None:
    """What ``folder`` is; None when its configurations cannot be read. Looks at no weights."""
    if not folder.is_dir():
        return None
    with contextlib.suppress(BaseModelError, OSError):
        if (folder / _INDEX).exists() or (folder / "unet" / "config.json").exists():
            return _of_pipeline(folder)
        return _without_index(folder)
    return None


def _of_pipeline(folder: Path) -> Recognition:
    has_index = (folder / _INDEX).exists()
    kind = str(read_json(folder / _INDEX).get("_class_name")) if has_index else _STABLE_DIFFUSION
    why = f"model_index.json names {kind}" if has_index else "it has a U-Net and no model_index"
    if kind in _PIPELINES:
        family, title = _PIPELINES[kind]
        return Recognition(folder, title, why, family)
    if not kind.startswith(_STABLE_DIFFUSION) or "XL" in kind or "3" in kind:
        remedy = "Take a base model of a family that is trained here."
        return Recognition(folder, f"a model for {kind[:60]} of diffusers", why, "", remedy)
    unet = read_json(folder / "unet" / "config.json")
    channels, width = unet.get("in_channels", 4), unet.get("cross_attention_dim")
    if channels != 4:
        what = "an inpainting model" if channels == 9 else f"a U-Net that takes {channels} channels"
        remedy = "Take the base model itself, whose U-Net takes 4 channels."
        return Recognition(folder, what, f"in_channels is {channels}", "", remedy)
    listens = f"{why}; its U-Net listens to text of width {width}"
    if width == _SD2_WIDTH:
        return Recognition(folder, "Stable Diffusion 2.x", listens, "sd2")
    return Recognition(folder, "Stable Diffusion 1.x", listens, "sd1")


def _without_index(folder: Path) -> Recognition:
    if (folder / "snapshots").is_dir() and folder.name.startswith("models--"):
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        why = "it holds snapshots"
        return Recognition(folder, "a folder of the hub's cache", why, "", f"Give {name}.")
    if (folder.parent / _INDEX).exists():
        why = f"{_INDEX} is one level up"
        return Recognition(folder, "a part of a model", why, "", f"Give {folder.parent}.")
    files = sorted(islice(folder.glob("*.safetensors"), _MOST))
    if files:
        names = ", ".join(path.name for path in files[:_SHOWN])
        why = f"{'over ' if len(files) == _MOST else ''}{len(files)} in it"
        more = " ..." if len(files) > _SHOWN else ""
        remedy = f"Give one of its files: {names}{more}"
        return Recognition(folder, "a folder of checkpoints", why, "", remedy)
    below: list[Any] = sorted(islice(folder.glob(f"*/{_INDEX}"), _MOST))
    if below:
        why = f"{_INDEX} is one level down"
        remedy = f"Give {below[0].parent}."
        return Recognition(folder, "a folder of models", why, "", remedy)
    return Recognition(folder, "a folder without a model", f"no {_INDEX} in it", "", _REMEDY)
