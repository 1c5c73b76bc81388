"""Which layers of Stable Diffusion 1.x get a LoRA, and what they are called in LoRA files.

Told from the weights' names and shapes alone, which are the same in a header and in a loaded model.
The choice is that of sd-scripts' ``networks.lora``; see `targets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..weights.base_model import BaseModel, Part
from ..weights.single_file_names import renamed, reversed_map, unet_map
from .base import LoraTarget

if TYPE_CHECKING:
    from collections.abc import Iterable

UNET_LORA_PREFIX, TEXT_LORA_PREFIX = "lora_unet_", "lora_te_"
_TEXT_LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
_TEXT_LEVEL = "text_model."
_ATTENTION = (".attentions.",)
_BESIDE = (".resnets.", ".downsamplers.", ".upsamplers.")
_WEIGHT = ".weight"
Shapes = Mapping[str, Sequence[int]]
"""Of a part's weights, by their full names."""


def denoiser_targets(shapes: Shapes) -> list[str]:
    """Every linear layer and every 1x1 convolution inside the U-Net's transformer blocks: 192 in
    Stable Diffusion 1.5."""
    return [name for name in _layers(shapes, _ATTENTION) if set(shapes[name + _WEIGHT][2:]) <= {1}]


def convolution_targets(shapes: Shapes) -> list[str]:
    """What is added when convolutions are trained: every layer of the residual blocks and of what
    makes pictures smaller and larger, the linear ones and 1x1 convolutions among them too; 86 in
    Stable Diffusion 1.5, 50 of them 3x3."""
    return list(_layers(shapes, _BESIDE))


def text_encoder_targets(shapes: Shapes) -> list[str]:
    """The attention projections and both feed-forward layers of every layer: 72 in CLIP ViT-L."""
    return [n for n in _layers(shapes, (".layers.",)) if n.rpartition(".")[2] in _TEXT_LAYERS]


def lora_key(part: str, name: str) -> str:
    """What a layer of ``part`` is called in a kohya-format file."""
    if part == "denoiser":
        return UNET_LORA_PREFIX + name.replace(".", "_")
    # transformers 5 dropped the `text_model.` level that every reader of the files expects.
    return TEXT_LORA_PREFIX + (_TEXT_LEVEL + name.removeprefix(_TEXT_LEVEL)).replace(".", "_")


def targets(base: BaseModel) -> list[LoraTarget]:
    """All layers that can get a LoRA, from the headers of ``base``. Raises HeaderError."""
    unet = _shapes(base, Part("unet", weights="diffusion_pytorch_model"))
    text = _shapes(base, Part("text_encoder", weights="model"))
    original = _original_names(base)
    found = [_of_unet(name, unet, original, beside=False) for name in denoiser_targets(unet)]
    found += [_of_unet(name, unet, original, beside=True) for name in convolution_targets(unet)]
    return found + [_of_text(name, text) for name in text_encoder_targets(text)]


def _shapes(base: BaseModel, part: Part) -> dict[str, tuple[int, ...]]:
    headers = base.headers(part)
    return {name: info.shape for header in headers for name, info in header.tensors.items()}


def _layers(shapes: Shapes, marks: Iterable[str]) -> Iterator[str]:
    for name, shape in shapes.items():
        if name.endswith(_WEIGHT) and len(shape) >= 2 and any(mark in name for mark in marks):
            yield name.removesuffix(_WEIGHT)


def _of_unet(name: str, shapes: Shapes, original: Mapping[str, str], *, beside: bool) -> LoraTarget:
    others = [f"{UNET_LORA_PREFIX}{name.replace('.', '_')}", *_dotted(name, "unet.")]
    if old := renamed(name, original):
        others.append(UNET_LORA_PREFIX + old.replace(".", "_"))
    block, attention, layer = _split_attention(name)
    if attention:
        # How diffusers wrote it until 2023: as if the attention's processor had the layers.
        processor = f"{block}.{attention}.processor.{layer.removesuffix('.0')}_lora"
        others += _dotted(processor, "unet.")
    shape = tuple(shapes[name + _WEIGHT])
    return LoraTarget("unet", name, lora_key("denoiser", name), shape, beside, tuple(others))


def _of_text(name: str, shapes: Shapes) -> LoraTarget:
    inner = name.removeprefix(_TEXT_LEVEL)
    underscored = f"text_model_{inner.replace('.', '_')}"
    others = [f"{prefix}{underscored}" for prefix in (TEXT_LORA_PREFIX, "lora_te1_")]
    for level in ("", _TEXT_LEVEL):
        others += _dotted(f"{level}{inner}", "text_encoder.")
    key = lora_key("text_encoder", name)
    shape = tuple(shapes[name + _WEIGHT])
    return LoraTarget("text_encoder", name, key, shape, False, tuple(others))


def _dotted(name: str, prefix: str) -> list[str]:
    """PEFT's names and diffusers', for a file of this part alone and of the whole pipeline."""
    peft = "base_model.model."
    return [name, prefix + name, peft + name, prefix + peft + name, peft + prefix + name]


def _split_attention(name: str) -> tuple[str, str, str]:
    for attention in ("attn1", "attn2"):
        block, found, layer = name.partition(f".{attention}.")
        if found:
            return block, attention, layer
    return name, "", ""


def _original_names(base: BaseModel) -> dict[str, str]:
    """From diffusers' names of the U-Net's modules to those of the original layout, which
    A1111 and some trainers use. Empty for a U-Net whose levels are unlike one another."""
    config = base.config("unet")
    blocks, layers = config.get("down_block_types"), config.get("layers_per_block")
    if not isinstance(blocks, list) or not isinstance(layers, int):
        return {}
    return reversed_map(unet_map(["CrossAttn" in str(block) for block in blocks], layers))
