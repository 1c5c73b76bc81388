"""Stable Diffusion 1.x (1.1 to 1.5 and what was tuned from them)."""

from __future__ import annotations

from ..sampling.samplers import SAMPLERS
from ..weights.base_model import Part
from .base import FamilySpec

SPEC = FamilySpec(
    name="sd1",
    title="Stable Diffusion 1.x",
    native_resolution=512,
    bucket_step=64,
    prediction="epsilon",
    implementation="lora_wizard.core.families.sd1_model:StableDiffusion1",
    base_version="sd_v1",
    architecture="stable-diffusion-v1",
    samplers=tuple(SAMPLERS),
    text_encoder_prefixes={"text_encoder": "lora_te_"},
    base_parts=(
        Part("unet", weights="diffusion_pytorch_model", files=("config.json",)),
        Part("vae", weights="diffusion_pytorch_model", files=("config.json",)),
        Part("text_encoder", weights="model", files=("config.json",)),
        Part("tokenizer", files=("vocab.json", "merges.txt")),
        Part("scheduler", files=("scheduler_config.json",)),
    ),
)
