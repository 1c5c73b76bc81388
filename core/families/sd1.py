"""Stable Diffusion 1.x (1.1 to 1.5 and what was tuned from them)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import Problem
from ..sampling.samplers import SAMPLERS
from ..weights.base_model import BaseModel, Part
from . import prediction
from .base import Costs, FamilySpec, PartSize
from .sd1_checkpoint import NAME, TITLE, open_checkpoint, open_vae
from .sd1_layers import TEXT_LORA_PREFIX, targets

if TYPE_CHECKING:
    from ..config import RunConfig

PARTS = (
    Part("unet", weights="diffusion_pytorch_model", files=("config.json",)),
    Part(
        "vae",
        weights="diffusion_pytorch_model",
        files=("config.json",),
        option="model.vae",
        title="VAE",
    ),
    Part("text_encoder", weights="model", files=("config.json",)),
    Part("tokenizer", files=("vocab.json", "merges.txt"), instead=("tokenizer.json",)),
    Part("scheduler", files=("scheduler_config.json",)),
)
COSTS = Costs(
    parts={
        "unet": PartSize(
            859_520_964,
            lora_layers=192,
            lora_values=423_936,
            beside_layers=36,
            beside_values=82_880,
            conv_layers=50,
            conv_values=544_000,
        ),
        "text_encoder": PartSize(123_060_480, lora_layers=72, lora_values=165_888),
        "vae": PartSize(83_653_863),
    },
    denoiser="unet",
    cell_side=8,
    activation_bytes=325_000,
    checkpointed_bytes=90_000,
    fp32_factor=1.4,
    convolutions_factor=1.12,
    text_activation_bytes=60e6,
    decoding_bytes=4_000,
    operations=1_400,
    flops=166e6,
    attention_flops=7_300,
    lora_flops=0.40,
    convolution_flops=0.30,
    encoding_flops=4.3e6,
)
_WIDTH_OF_SD2 = 1024
"""Of its text encoder; 1.x has 768 in the same classes."""


def _check_base(base: BaseModel, config: RunConfig) -> Iterator[Problem]:
    if base.config("unet").get("cross_attention_dim") == _WIDTH_OF_SD2:
        yield Problem(
            f"{base.name} is Stable Diffusion 2.x, not 1.x",
            where="model.family",
            remedy="A LoRA fits only its own family: take a base of 1.x.",
        )
    clip_skip = config.model.clip_skip
    layers = base.config("text_encoder").get("num_hidden_layers")
    if isinstance(layers, int) and clip_skip > layers:
        yield Problem(
            f"is {clip_skip}, but this base's text encoder has {layers} layers",
            where="model.clip_skip",
            remedy="1 for realistic models, 2 for anime models.",
        )
    yield from prediction.problems(base, config)


SPEC = FamilySpec(
    name=NAME,
    title=TITLE,
    native_resolution=512,
    bucket_step=64,
    prediction="epsilon",
    implementation="lora_wizard.core.families.sd1_model:StableDiffusion1",
    base_version="sd_v1",
    architecture="stable-diffusion-v1",
    samplers=tuple(SAMPLERS),
    text_encoder_prefixes={"text_encoder": TEXT_LORA_PREFIX},
    parts=PARTS,
    pipelines=frozenset(
        {
            "StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline",
            "StableDiffusionControlNetPipeline",
        }
    ),
    open_file=open_checkpoint,
    open_vae=open_vae,
    check_base=_check_base,
    costs=COSTS,
    lora_targets=targets,
)
