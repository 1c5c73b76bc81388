"""One LoRA in the files of other trainers: each with its own names, made from a kohya-format one or
by the program whose format it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline
from lora_wizard.core.families import sd1_layers
from lora_wizard.core.families.sd1 import PARTS
from lora_wizard.core.weights.base_model import locate
from lora_wizard.core.weights.single_file_names import renamed, reversed_map, unet_map
from peft import PeftModel
from peft.utils import get_peft_model_state_dict

Tensors = dict[str, torch.Tensor]
TINY_ATTENTION, TINY_LAYERS = (True, False), 1
"""Of `tiny_sd`."""


def kohya(base: Path, tensors: Tensors, folder: Path) -> Path:
    return _written(tensors, folder / "kohya.safetensors")


def without_alpha(base: Path, tensors: Tensors, folder: Path) -> Path:
    return _written(_folded(tensors), folder / "plain.safetensors")


def half(base: Path, tensors: Tensors, folder: Path) -> Path:
    return _written({n: t.half() for n, t in tensors.items()}, folder / "half.safetensors")


def flat(base: Path, tensors: Tensors, folder: Path) -> Path:
    """Convolutions of a single cell as matrices, and matrices as convolutions."""

    def turned(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() == 2:
            return tensor[:, :, None, None]
        return tensor.flatten(1) if tensor.shape[2:] == (1, 1) else tensor

    return _written({n: turned(t) for n, t in tensors.items()}, folder / "flat.safetensors")


def te1(base: Path, tensors: Tensors, folder: Path) -> Path:
    renamed = {name.replace("lora_te_", "lora_te1_"): tensor for name, tensor in tensors.items()}
    return _written(renamed, folder / "te1.safetensors")


def original_blocks(base: Path, tensors: Tensors, folder: Path) -> Path:
    """As A1111's own extensions name the U-Net's blocks."""
    back = reversed_map(unet_map(TINY_ATTENTION, TINY_LAYERS))
    stems = {
        _stem(target.key): _stem(f"lora_unet_{renamed(target.name, back)}")
        for target in sd1_layers.targets(locate(str(base), PARTS))
        if target.folder == "unet"
    }
    assert all("None" not in stem for stem in stems.values())
    return _written(_with_stems(tensors, stems), folder / "original.safetensors")


def diffusers_down_up(base: Path, tensors: Tensors, folder: Path) -> Path:
    """``unet.down_blocks....to_q.lora.down.weight``: diffusers of 2023, without alphas."""
    found = _dotted(base, tensors, ".lora.", ".lora_linear_layer.")
    return _written(found, folder / "down_up.safetensors")


def diffusers_processors(base: Path, tensors: Tensors, folder: Path) -> Path:
    """``unet....attn1.processor.to_q_lora.down.weight``: the oldest, of attention alone."""
    found: Tensors = {}
    for name, tensor in _dotted(base, tensors, ".lora.", ".lora.").items():
        if place := re.fullmatch(r"(.*\.attn\d)\.(to_\w+?)(?:\.0)?\.lora\.(.*)", name):
            found[f"{place[1]}.processor.{place[2]}_lora.{place[3]}"] = tensor
    return _written(found, folder / "processors.safetensors")


def diffusers(base: Path, tensors: Tensors, folder: Path, *, metadata: bool = True) -> Path:
    """As diffusers saves it today."""
    pipeline: Any = StableDiffusionPipeline.from_pretrained(base, use_safetensors=True)
    pipeline.load_lora_weights(dict(tensors))
    parts = {"unet": pipeline.unet, "text_encoder": pipeline.text_encoder}
    given: dict[str, Any] = {}
    for name, module in parts.items():
        given[f"{name}_lora_layers"] = get_peft_model_state_dict(module, adapter_name="default_0")
        if metadata:
            config = module.peft_config["default_0"].to_dict()
            given[f"{name}_lora_adapter_metadata"] = {
                key: sorted(value) if isinstance(value, set) else value
                for key, value in config.items()
            }
    StableDiffusionPipeline.save_lora_weights(folder / "diffusers", **given)
    return folder / "diffusers"


def diffusers_plain(base: Path, tensors: Tensors, folder: Path) -> Path:
    return diffusers(base, _folded(tensors), folder, metadata=False)


def peft(base: Path, tensors: Tensors, folder: Path, part: str = "unet", **changes: Any) -> Path:
    """PEFT's own folder for one part."""
    alphas: dict[str, float] = {}
    found: Tensors = {}
    for name, tensor in _dotted(base, tensors, ".", ".", alphas=alphas).items():
        if name.startswith(f"{part}."):
            inner = name.removeprefix(f"{part}.")
            inner = inner.replace(".down.weight", ".lora_A.weight")
            found[f"base_model.model.{inner.replace('.up.weight', '.lora_B.weight')}"] = tensor
    folder = folder / "peft"
    folder.mkdir(parents=True)
    common = next(iter(alphas.values()))
    ranks = {
        name.removeprefix("base_model.model.").removesuffix(".lora_A.weight"): len(tensor)
        for name, tensor in found.items()
        if "lora_A" in name
    }
    rank = next(iter(ranks.values()))
    config = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": common,
        "alpha_pattern": {
            name.removeprefix(f"{part}."): alpha
            for name, alpha in alphas.items()
            if alpha != common and name.startswith(f"{part}.")
        },
        "rank_pattern": {name: of_layer for name, of_layer in ranks.items() if of_layer != rank},
        "target_modules": sorted(ranks),
        **changes,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    _written(found, folder / "adapter_model.safetensors")
    return folder


def load_with_peft(module: torch.nn.Module, folder: Path) -> torch.nn.Module:
    """``module`` with the adapter in ``folder``, as PEFT reads it."""
    loaded: Any = PeftModel.from_pretrained(module, str(folder))
    return loaded.base_model.model


def _stem(name: str) -> str:
    return name.replace(".", "_")


def _with_stems(tensors: Tensors, stems: Mapping[str, str]) -> Tensors:
    found: Tensors = {}
    for name, tensor in tensors.items():
        stem, dot, end = name.partition(".")
        found[stems.get(stem, stem) + dot + end] = tensor
    return found


def _folded(tensors: Tensors) -> Tensors:
    """Without alphas, the same LoRA."""
    found = {name: tensor for name, tensor in tensors.items() if not name.endswith(".alpha")}
    for name in found:
        if name.endswith(".lora_up.weight"):
            alpha = tensors[name.replace("lora_up.weight", "alpha")]
            found[name] = found[name] * (alpha / found[name].shape[1])
    return found


def _dotted(
    base: Path,
    tensors: Tensors,
    of_unet: str,
    of_text: str,
    alphas: dict[str, float] | None = None,
) -> Tensors:
    """``unet.NAME<infix>down.weight``; the alphas folded into up unless ``alphas`` takes them."""
    source = tensors if alphas is not None else _folded(tensors)
    found: Tensors = {}
    for target in sd1_layers.targets(locate(str(base), PARTS)):
        infix = of_unet if target.folder == "unet" else of_text
        for end in ("down", "up"):
            name = f"{target.key}.lora_{end}.weight"
            if name in source:
                found[f"{target.folder}.{target.name}{infix}{end}.weight"] = source[name]
        if alphas is not None and f"{target.key}.alpha" in source:
            alphas[f"{target.folder}.{target.name}"] = float(source[f"{target.key}.alpha"])
    return found


def _written(tensors: Tensors, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file({n: t.contiguous() for n, t in tensors.items()}, path)
    return path


Writer = Callable[[Path, Tensors, Path], Path]
WHOLE: dict[str, Writer] = {
    function.__name__: function
    for function in (
        kohya,
        without_alpha,
        flat,
        te1,
        original_blocks,
        diffusers_down_up,
        diffusers,
        diffusers_plain,
    )
}
"""Those that hold all of a LoRA exactly."""
