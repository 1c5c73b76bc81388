"""The embedded model's parts: Stable Diffusion 1.x in miniature, from its own classes."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from .tokenizer import MAX_LENGTH

LATENT_FACTOR = 4
"""Pixels of the picture per side of a latent's cell."""

_TEXT_WIDTH = 96
_PIPELINE = {
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


@dataclass
class Parts:
    """The modules that are trained, and the scheduler whose noise they are trained on."""

    vae: AutoencoderKL
    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: PNDMScheduler


def make_vae() -> AutoencoderKL:
    """An autoencoder to be trained: 3 x H x W in [-1, 1] to 4 x H/4 x W/4 latents."""
    # diffusers declares these three as tuples of one.
    vae = AutoencoderKL(
        block_out_channels=(16, 32, 32),  # pyright: ignore[reportArgumentType]
        down_block_types=("DownEncoderBlock2D",) * 3,  # pyright: ignore[reportArgumentType]
        up_block_types=("UpDecoderBlock2D",) * 3,  # pyright: ignore[reportArgumentType]
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=1,
        mid_block_add_attention=False,
        sample_size=64,
    )
    _start_as_identity(vae)
    return vae


@torch.no_grad()
def _start_as_identity(vae: AutoencoderKL) -> None:
    """Let colours pass from end to end before the first step.

    From a random start, thousands of steps go by before the net has found out how to carry a flat
    colour past its normalizations. So every convolution starts close to the identity, the residual
    branches at nothing, and constant channels keep the norms from depending on the picture.
    """
    for module in vae.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            scattered = 0.3 * module.weight
            nn.init.dirac_(module.weight)
            module.weight.add_(scattered)
            module.bias.zero_()
    for module in vae.modules():
        if isinstance(module, ResnetBlock2D):
            nn.init.kaiming_uniform_(module.conv1.weight, a=5**0.5)
            module.conv2.weight.zero_()
    encoder, decoder = vae.get_submodule("encoder"), vae.get_submodule("decoder")
    constants = (
        encoder.get_parameter("down_blocks.1.downsamplers.0.conv.bias"),
        decoder.get_parameter("up_blocks.2.resnets.0.conv_shortcut.bias"),
    )
    for bias in constants:
        bias[6::2], bias[7::2] = 2.0, -2.0
    for part, outputs in ((encoder, 4), (decoder, 3)):
        # Around 1.5 the activation between norm and output is nearly linear.
        part.get_parameter("conv_norm_out.bias").fill_(1.5)
        part.get_parameter("conv_out.bias")[:outputs] = -1.5
    log_variance = slice(4, None)
    vae.get_parameter("quant_conv.weight")[log_variance] = 0.0
    vae.get_parameter("quant_conv.bias")[log_variance] = -3.0


def make_unet() -> UNet2DConditionModel:
    """An untrained U-Net. Attention starts at half resolution: it is what training pays for."""
    return UNet2DConditionModel(
        sample_size=64 // LATENT_FACTOR,
        block_out_channels=(48, 96, 112),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=_TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )


def make_text_encoder(vocabulary_size: int) -> CLIPTextModel:
    """An untrained text encoder; the two special tokens are the vocabulary's last."""
    start, end = vocabulary_size - 2, vocabulary_size - 1
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary_size,
            hidden_size=_TEXT_WIDTH,
            intermediate_size=4 * _TEXT_WIDTH,
            projection_dim=_TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_LENGTH,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def make_scheduler() -> PNDMScheduler:
    """Stable Diffusion 1.x's noise schedule."""
    return PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
    )


def tokenize(
    tokenizer: CLIPTokenizer, captions: list[str], length: int = MAX_LENGTH
) -> torch.Tensor:
    """Token ids, len(captions) x length, padded as the pipeline pads them."""
    encoded = tokenizer(
        captions,
        padding="max_length",
        max_length=length,
        truncation=True,
        return_tensors="pt",
    )
    return encoded.input_ids


def save(parts: Parts, folder: Path) -> None:
    """Write the parts as a diffusers pipeline with half-precision weights."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = {"vae": parts.vae, "unet": parts.unet, "text_encoder": parts.text_encoder}
    for name, module in modules.items():
        copy.deepcopy(module).half().save_pretrained(folder / name)
    parts.scheduler.save_pretrained(folder / "scheduler")
    # Other samplers are made from this file, and clip latents unless it says not to.
    _amend(folder / "scheduler" / "scheduler_config.json", {"clip_sample": False})
    # transformers would otherwise compute in the type that the weights are stored in.
    _amend(folder / "text_encoder" / "config.json", {"dtype": "float32"})
    index = json.dumps(_PIPELINE, indent=2) + "\n"
    (folder / "model_index.json").write_text(index, encoding="utf-8")


def _amend(file: Path, settings: dict[str, object]) -> None:
    merged = json.loads(file.read_text(encoding="utf-8")) | settings
    file.write_text(json.dumps(merged, indent=2) + "\n", encoding="utf-8")
