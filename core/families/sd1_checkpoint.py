"""Stable Diffusion 1.x in a single file: its configurations, from the shapes of its weights.

Widths, levels and layers are read off the shapes, so that pruned and narrow relatives fit too. What
no shape tells is the same in all of 1.x and stands here:
https://github.com/CompVis/stable-diffusion/blob/main/configs/stable-diffusion/v1-inference.yaml
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from ..weights.base_model import BaseModelError
from ..weights.header import Header, HeaderError, TensorInfo, read_header
from ..weights.recognition import recognise_file, refusal
from ..weights.single_file import SingleFile, names_in_file
from ..weights.single_file_names import (
    TEXT_PREFIXES,
    UNET_PREFIX,
    VAE_PREFIX,
    renamed,
    unet_map,
    vae_map,
)
from .prediction import marks

NAME, TITLE = "sd1", "Stable Diffusion 1.x"
_HEADS = 8
_TEXT_HEAD_WIDTH = 64
_GROUPS = 32
_SCALING_FACTOR = 0.18215
_SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "clip_sample": False,
    "timestep_spacing": "leading",
}
_Tensors = Mapping[str, TensorInfo]


def open_checkpoint(name: str, path: Path) -> SingleFile:
    """The checkpoint at ``path``, whose header alone is read; there may be no VAE in it. Raises
    BaseModelError when it is no checkpoint of the family, or not whole."""
    seen = recognise_file(path)
    if error := refusal(seen, NAME, TITLE):
        raise error
    header = seen.header
    try:
        unet, unet_names = _unet(header)
        vae = _vae(header) if _has(header, VAE_PREFIX) else None
        text, text_names = _text_encoder(header)
    except _NotOurShapeError as error:
        raise BaseModelError(
            "The checkpoint is not built like Stable Diffusion 1.x",
            f"{path}: {error}",
            "Take another checkpoint, or its folder in the diffusers layout.",
        ) from None
    return SingleFile(
        name=name,
        folder=path,
        variants={},
        configs={
            "unet": unet,
            **({"vae": vae[0]} if vae else {}),
            "text_encoder": text,
            "scheduler": {**_SCHEDULER, **marks(header)},
        },
        header=header,
        weights={
            "unet": unet_names,
            **({"vae": vae[1]} if vae else {}),
            "text_encoder": text_names,
        },
    )


def open_vae(name: str, path: Path) -> SingleFile:
    """The VAE at ``path``: alone in its file, under original or diffusers' names, or within a
    checkpoint. Only the header is read. Raises BaseModelError."""
    try:
        header = read_header(path)
        config, names = _vae(header, ("", VAE_PREFIX))
    except (HeaderError, _NotOurShapeError) as error:
        raise BaseModelError(
            "This is no VAE of Stable Diffusion",
            f"model.vae: {path}: {error}",
            "Take another file, or leave model.vae out for the base's own.",
        ) from None
    return SingleFile(
        name=name,
        folder=path,
        variants={},
        configs={"vae": config},
        header=header,
        weights={"vae": names},
    )


class _NotOurShapeError(Exception):
    """The message says what is different."""


def _unet(header: Header) -> tuple[dict[str, Any], dict[str, str]]:
    tensors = _part(header, UNET_PREFIX, "no U-Net")
    levels = list(_unet_levels(tensors))
    widths = [level[-1][0] for level in levels]
    attention = [level[0][1] for level in levels]
    layers = len(levels[0])
    if any(level != [(level[0][0], level[0][1])] * layers for level in levels):
        raise _NotOurShapeError("the levels of its U-Net differ in their layers")
    contexts = {
        info.shape[-1] for key, info in tensors.items() if key.endswith("attn2.to_k.weight")
    }
    if len(contexts) != 1:
        raise _NotOurShapeError("the attention of its U-Net does not listen to one text")
    if any(width % _GROUPS or (width % _HEADS) for width in widths):
        raise _NotOurShapeError(f"the U-Net's widths {widths} do not fit its groups and heads")
    down = ["CrossAttnDownBlock2D" if attends else "DownBlock2D" for attends in attention]
    up = ["CrossAttnUpBlock2D" if attends else "UpBlock2D" for attends in reversed(attention)]
    config = {
        "sample_size": 64,
        "in_channels": _shape(tensors, "input_blocks.0.0.weight")[1],
        "out_channels": _shape(tensors, "out.2.weight")[0],
        "block_out_channels": widths,
        "down_block_types": down,
        "up_block_types": up,
        "layers_per_block": layers,
        "cross_attention_dim": contexts.pop(),
        # diffusers' name for the number of heads.
        "attention_head_dim": _HEADS,
        "norm_num_groups": _GROUPS,
    }
    names = unet_map(attention, layers)
    return config, names_in_file(header, [UNET_PREFIX], lambda key: renamed(key, names))


def _unet_levels(tensors: _Tensors) -> Iterator[list[tuple[int, bool]]]:
    """Of each level on the way down its residual blocks: (width, whether attention follows)."""
    level: list[tuple[int, bool]] = []
    for block in count(1):
        at = f"input_blocks.{block}"
        if f"{at}.0.op.weight" in tensors:
            if not level:
                raise _NotOurShapeError("a level of its U-Net is empty")
            yield level
            level = []
        elif f"{at}.0.in_layers.2.weight" in tensors:
            attends = any(key.startswith(f"{at}.1.") for key in tensors)
            if attends and f"{at}.1.transformer_blocks.1.norm1.weight" in tensors:
                raise _NotOurShapeError("its U-Net has several transformer blocks in a place")
            level.append((_shape(tensors, f"{at}.0.in_layers.2.weight")[0], attends))
        else:
            break
    if not level:
        raise _NotOurShapeError("its U-Net has no levels, or ends in an empty one")
    yield level


def _vae(
    header: Header, prefixes: Sequence[str] = (VAE_PREFIX,)
) -> tuple[dict[str, Any], dict[str, str]]:
    prefix = next((p for p in prefixes if _has(header, f"{p}decoder.conv_in.")), prefixes[-1])
    tensors = _part(header, prefix, "no VAE in it")
    is_renamed = "encoder.down_blocks.0.resnets.0.conv1.weight" in tensors
    place = "encoder.down_blocks.{}.resnets.{}" if is_renamed else "encoder.down.{}.block.{}"
    widths: list[int] = []
    while (key := f"{place.format(len(widths), 0)}.conv1.weight") in tensors:
        widths.append(_shape(tensors, key)[0])
    layers = 0
    while f"{place.format(0, layers)}.conv1.weight" in tensors:
        layers += 1
    if not widths or any(width % _GROUPS for width in widths):
        raise _NotOurShapeError(f"the VAE's widths {widths} do not fit its groups")
    config = {
        "in_channels": _shape(tensors, "encoder.conv_in.weight")[1],
        "out_channels": _shape(tensors, "decoder.conv_out.weight")[0],
        "latent_channels": _shape(tensors, "decoder.conv_in.weight")[1],
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "layers_per_block": layers,
        "norm_num_groups": _GROUPS,
        "sample_size": 512,
        "scaling_factor": _SCALING_FACTOR,
    }
    names = vae_map(len(widths), layers)
    rename = str if is_renamed else lambda key: renamed(key, names)
    return config, names_in_file(header, [prefix], rename)


def _text_encoder(header: Header) -> tuple[dict[str, Any], dict[str, str]]:
    prefix = next((p for p in TEXT_PREFIXES if _has(header, f"{p}embeddings.")), TEXT_PREFIXES[0])
    tensors = _part(header, prefix, "no text encoder in it")
    layers = 0
    while f"encoder.layers.{layers}.mlp.fc1.weight" in tensors:
        layers += 1
    vocabulary, width = _shape(tensors, "embeddings.token_embedding.weight")
    if width % _TEXT_HEAD_WIDTH or not layers:
        raise _NotOurShapeError(f"its text encoder of width {width} is not CLIP's")
    config = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": _shape(tensors, "encoder.layers.0.mlp.fc1.weight")[0],
        "num_hidden_layers": layers,
        "num_attention_heads": width // _TEXT_HEAD_WIDTH,
        "max_position_embeddings": _shape(tensors, "embeddings.position_embedding.weight")[0],
        "projection_dim": width,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1,
    }
    names = names_in_file(header, [prefix], lambda key: key)
    names.pop("embeddings.position_ids", None)
    return config, names


def _part(header: Header, prefix: str, absent: str) -> dict[str, TensorInfo]:
    found = {
        key.removeprefix(prefix): info
        for key, info in header.tensors.items()
        if key.startswith(prefix)
    }
    if not found:
        raise _NotOurShapeError(absent)
    return found


def _has(header: Header, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in header.tensors)


def _shape(tensors: _Tensors, key: str) -> tuple[int, ...]:
    """The shape of a weight matrix or convolution."""
    info = tensors.get(key)
    if info is None or len(info.shape) < 2:
        raise _NotOurShapeError(f"{key} is missing or of no use")
    return info.shape
