"""By which names of tensors kinds of files are told apart. More is said in `recognition`.

The names are those that the models' own repositories give their weights.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .header import Header

_PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "transformer.")


@dataclass(frozen=True)
class Mark:
    """A base of ``family`` has all of the tensors ``has``, behind one of the usual prefixes."""

    family: str
    what: str
    has: tuple[str, ...]
    remedy: str = ""

    @property
    def why(self) -> str:
        return f"it has {self.has[0]}"

    def fits(self, names: Collection[str]) -> bool:
        return any(all(f"{prefix}{name}" in names for name in self.has) for prefix in _PREFIXES)


BASES = (
    Mark("chroma", "Chroma", ("distilled_guidance_layer.in_proj.bias",)),
    Mark("flux2", "Flux.2", ("single_stream_modulation.lin.weight",)),
    Mark(
        "hunyuan_video",
        "Hunyuan Video",
        ("txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias",),
    ),
    Mark("flux", "Flux.1", ("double_blocks.0.img_attn.norm.key_norm.scale",)),
    Mark("sd3", "Stable Diffusion 3", ("joint_blocks.0.context_block.adaLN_modulation.1.bias",)),
    Mark("auraflow", "AuraFlow", ("double_layers.0.attn.w1q.weight",)),
    Mark(
        "qwen_image",
        "Qwen-Image",
        ("txt_norm.weight", "transformer_blocks.0.attn.add_q_proj.bias"),
    ),
    Mark("z_image", "Z-Image", ("cap_embedder.0.weight", "all_x_embedder.2-1.weight")),
    Mark("z_image", "Z-Image", ("cap_embedder.0.weight", "x_embedder.weight", "cap_pad_token")),
    Mark("lumina2", "Lumina 2", ("cap_embedder.0.weight", "x_embedder.weight")),
    Mark("wan", "Wan", ("head.modulation", "blocks.0.cross_attn.k.weight")),
    Mark("hidream", "HiDream", ("double_stream_blocks.0.block.adaLN_modulation.1.bias",)),
    Mark("pixart", "PixArt", ("t_block.1.weight", "y_embedder.y_proj.fc1.weight")),
    Mark("sana", "Sana", ("blocks.0.cross_attn.q_linear.weight",)),
    Mark("ltx", "LTX Video", ("patchify_proj.weight",)),
    Mark("cascade", "Stable Cascade", ("clip_txt_mapper.weight",)),
    Mark("cascade", "Stable Cascade", ("down_blocks.1.0.channelwise.0.weight",)),
)


@dataclass(frozen=True)
class OtherKind:
    """Something that is no base model."""

    what: str
    why: str
    remedy: str = ""


_LORA_ENDINGS = (
    ".lora_down.weight",
    ".lora_up.weight",
    ".lora.down.weight",
    ".lora_A.weight",
    ".lora_B.weight",
    ".lora_A.default.weight",
    ".hada_w1_a",
    ".lokr_w1",
    ".lokr_w1_a",
    ".oft_blocks",
    ".lora_linear_layer.down.weight",
)
_CONTROL_STARTS = (
    "control_model.",
    "controlnet_cond_embedding.",
    "controlnet_blocks.",
    "controlnet_down_blocks.",
    "input_hint_block.",
    "control_layers.",
)
_MOST_EMBEDDINGS, _MOST_VECTORS = 4, 1000
_EMBEDDING_WIDTHS = {768, 1024, 1280, 4096}


def other_kind(header: Header) -> OtherKind | None:
    """What a file is when it is one of the well-known kinds that are no base model."""
    names = header.tensors
    if name := _ending(names, _LORA_ENDINGS):
        return OtherKind(
            "a LoRA",
            f"it has {name}",
            "A LoRA is trained on a base model: give the checkpoint that this one belongs to.",
        )
    if name := _starting(names, _CONTROL_STARTS):
        return OtherKind("a ControlNet", f"it has {name}")
    if name := _starting(names, ("adapter.body.", "ip_adapter.", "image_proj.")):
        return OtherKind("an adapter for pictures (IP-Adapter or T2I-Adapter)", f"it has {name}")
    if name := next((n for n in names if ".motion_modules.0." in n), ""):
        return OtherKind("a motion module", f"it has {_short(name)}")
    if name := next(iter(names), ""):
        if _is_embedding(header):
            return OtherKind("an embedding (textual inversion)", f"all it has is {_short(name)}")
    else:
        return OtherKind("an empty file", "it has no tensors")
    if _has(names, "encoder.conv_in.weight") and _has(names, "decoder.conv_in.weight"):
        rest = [n for n in names if not n.startswith(("first_stage_model.", "vae."))]
        alone = "model.diffusion_model.input_blocks.0.0.weight" not in names
        if alone and (not rest or "encoder.conv_in.weight" in names):
            return OtherKind("a VAE", "all it has is an encoder and a decoder of pictures")
    return _part_of_a_folder(names) or _other_network(names)


def _part_of_a_folder(names: Collection[str]) -> OtherKind | None:
    """One weight file out of a folder in the diffusers layout."""
    whole = "Give the folder that holds model_index.json, two levels up from the file."
    if "conv_in.weight" in names and _starting(names, ("down_blocks.",)):
        return OtherKind("the U-Net of a folder in the diffusers layout", "conv_in.weight", whole)
    if any(n in names for n in ("text_model.embeddings.token_embedding.weight",)) or (
        "embeddings.token_embedding.weight" in names
    ):
        return OtherKind("a CLIP text encoder", "it has a token embedding", whole)
    if "encoder.block.0.layer.0.SelfAttention.q.weight" in names:
        return OtherKind("a T5 text encoder", "encoder.block.0.layer.0.SelfAttention.q", whole)
    return None


def _other_network(names: Collection[str]) -> OtherKind | None:
    if "model.layers.0.self_attn.q_proj.weight" in names:
        return OtherKind("a language model", "model.layers.0.self_attn.q_proj.weight")
    if _starting(names, ("conv_first.", "model.0.")) and not _starting(names, ("model.diffusion",)):
        return OtherKind("an upscaler of pictures", "a network of convolutions alone")
    return None


def _is_embedding(header: Header) -> bool:
    tensors = header.tensors
    if len(tensors) > _MOST_EMBEDDINGS:
        return False
    return "emb_params" in tensors or all(
        len(info.shape) in (1, 2)
        and info.shape[-1] in _EMBEDDING_WIDTHS
        and math.prod(info.shape) <= _MOST_VECTORS * info.shape[-1]
        for info in tensors.values()
    )


def _has(names: Collection[str], name: str) -> bool:
    return name in names or f"first_stage_model.{name}" in names or f"vae.{name}" in names


def _ending(names: Iterable[str], endings: tuple[str, ...]) -> str:
    return _short(next((name for name in names if name.endswith(endings)), ""))


def _starting(names: Iterable[str], starts: tuple[str, ...]) -> str:
    return _short(next((name for name in names if name.startswith(starts)), ""))


def _short(name: str) -> str:
    return ascii(name[:80])[1:-1]
