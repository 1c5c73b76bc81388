"""Names of weights: the original layout of Stable Diffusion's checkpoints, and diffusers'.

Written once, for reading checkpoints and for writing into them. A map goes from a module's name in
the original layout to its name in diffusers; `renamed` applies it to a weight's whole name, and
`reversed_map` turns it round. Where a module is the same inside, its outermost name is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIXES = ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")
"""Of CLIP's text encoder. Some merges lost the inner level; the longer comes first."""

_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_VAE_RESNET = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2"}
_VAE_RESNET["nin_shortcut"] = "conv_shortcut"
_VAE_ATTENTION = {
    "norm": "group_norm",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "proj_out": "to_out.0",
}
VAE_LINEAR = ("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight")
"""1x1 convolutions in the original layout, matrices in diffusers: the same numbers."""


def unet_map(attention: Sequence[bool], layers: int) -> dict[str, str]:
    """Of a U-Net with a level for each of ``attention``, from the widest picture to the smallest
    (whether it has attention), and ``layers`` residual blocks on each on the way down."""
    return dict(
        [
            ("time_embed.0", "time_embedding.linear_1"),
            ("time_embed.2", "time_embedding.linear_2"),
            ("input_blocks.0.0", "conv_in"),
            ("out.0", "conv_norm_out"),
            ("out.2", "conv_out"),
            *_inside("middle_block.0", "mid_block.resnets.0", _RESNET),
            ("middle_block.1", "mid_block.attentions.0"),
            *_inside("middle_block.2", "mid_block.resnets.1", _RESNET),
            *_way_down(attention, layers),
            *_way_up(attention, layers),
        ]
    )


def vae_map(levels: int, layers: int) -> dict[str, str]:
    """Of an autoencoder with ``levels`` sizes of picture and ``layers`` residual blocks on each on
    the way down (one more on the way up)."""
    pairs = [("quant_conv", "quant_conv"), ("post_quant_conv", "post_quant_conv")]
    for side in ("encoder", "decoder"):
        pairs += [(f"{side}.{name}", f"{side}.{name}") for name in ("conv_in", "conv_out")]
        pairs.append((f"{side}.norm_out", f"{side}.conv_norm_out"))
        middle, of_diffusers = f"{side}.mid", f"{side}.mid_block"
        pairs += _inside(f"{middle}.block_1", f"{of_diffusers}.resnets.0", _VAE_RESNET)
        pairs += _inside(f"{middle}.attn_1", f"{of_diffusers}.attentions.0", _VAE_ATTENTION)
        pairs += _inside(f"{middle}.block_2", f"{of_diffusers}.resnets.1", _VAE_RESNET)
    for level in range(levels):
        # The decoder's levels are counted from the picture in one layout, from the latents in the
        # other.
        down, up = f"encoder.down_blocks.{level}", f"decoder.up_blocks.{levels - 1 - level}"
        for layer in range(layers + 1):
            block = f"block.{layer}"
            pairs += _inside(
                f"encoder.down.{level}.{block}", f"{down}.resnets.{layer}", _VAE_RESNET
            )
            pairs += _inside(f"decoder.up.{level}.{block}", f"{up}.resnets.{layer}", _VAE_RESNET)
        pairs.append((f"encoder.down.{level}.downsample.conv", f"{down}.downsamplers.0.conv"))
        pairs.append((f"decoder.up.{level}.upsample.conv", f"{up}.upsamplers.0.conv"))
    return dict(pairs)


def reversed_map(names: Mapping[str, str]) -> dict[str, str]:
    """From diffusers' names to the original ones."""
    return {new: old for old, new in names.items()}


def renamed(name: str, names: Mapping[str, str]) -> str | None:
    """A weight's name by the map ``names``; None when the map knows nothing of it."""
    module = name
    while module:
        if module in names:
            return names[module] + name[len(module) :]
        module = module.rpartition(".")[0]
    return None


def _way_down(attention: Sequence[bool], layers: int) -> Iterator[tuple[str, str]]:
    block = 1
    for level, attends in enumerate(attention):
        place = f"down_blocks.{level}"
        for layer in range(layers):
            yield from _inside(f"input_blocks.{block}.0", f"{place}.resnets.{layer}", _RESNET)
            if attends:
                yield f"input_blocks.{block}.1", f"{place}.attentions.{layer}"
            block += 1
        if level + 1 < len(attention):
            yield f"input_blocks.{block}.0.op", f"{place}.downsamplers.0.conv"
            block += 1


def _way_up(attention: Sequence[bool], layers: int) -> Iterator[tuple[str, str]]:
    block = 0
    for level, attends in enumerate(reversed(attention)):
        place = f"up_blocks.{level}"
        for layer in range(layers + 1):
            yield from _inside(f"output_blocks.{block}.0", f"{place}.resnets.{layer}", _RESNET)
            if attends:
                yield f"output_blocks.{block}.1", f"{place}.attentions.{layer}"
            if layer == layers and level + 1 < len(attention):
                # It stands behind the attention where there is one.
                at = 2 if attends else 1
                yield f"output_blocks.{block}.{at}.conv", f"{place}.upsamplers.0.conv"
            block += 1


def _inside(old: str, new: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(f"{old}.{inner}", f"{new}.{other}") for inner, other in names.items()]
