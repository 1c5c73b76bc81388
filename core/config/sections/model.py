"""The base model: `[model]`."""

from __future__ import annotations

from typing import Literal

from ..options import Section, option

Precision = Literal["bf16", "fp16", "fp32"]


class ModelOptions(Section):
    """What the LoRA is trained on."""

    base: str = option(
        label="Base model",
        help="The base model: a .safetensors checkpoint, a folder in the diffusers layout, a hub "
        "id such as stable-diffusion-v1-5/stable-diffusion-v1-5, or embedded:demo for the one that "
        "comes along. Prefer a general model to a narrow fine-tune: the LoRA then works on more of "
        "them.",
        source="S1",
        level="basic",
        also="pretrained_model_name_or_path",
        path=True,
        min_length=1,
    )
    family: str = option(
        "sd1",
        label="Model family",
        help="The model family; it decides what many options mean. sd1 is Stable Diffusion 1.x.",
        level="basic",
        also="v2, sdxl",
    )
    precision: Precision = option(
        "bf16",
        help="The arithmetic of training: bf16 on RTX 30 and newer, fp16 before, fp32 to be exact. "
        "The LoRA itself is kept in fp32 and only the file is rounded.",
        source="S0 S1 S4",
        level="basic",
        also="mixed_precision",
    )
    vae: str = option(
        "",
        label="Another VAE",
        help="A VAE instead of the base's own, for training and samples: a .safetensors file, a "
        "folder, or a hub id such as stabilityai/sd-vae-ft-mse. Empty: the base's own.",
        source="S0 S1 S4",
        also="vae",
        path=True,
    )
    clip_skip: int = option(
        1,
        help="Which layer of the CLIP text encoder is read, counted from the end: 1 for realistic "
        "models, 2 for anime models.",
        source="S1 S2",
        ge=1,
        le=12,
    )
    prediction: Literal["auto", "epsilon", "v"] = option(
        "auto",
        help="What the base predicts: the noise (epsilon, nearly all of SD 1.x) or the velocity "
        '(v). "auto" is what its files say; set it where the author says v-prediction and the file '
        "does not.",
        source="arXiv 2202.00512",
        also="v_parameterization",
    )
    zero_terminal_snr: bool = option(
        False,
        label="Zero terminal SNR",
        help="Ends the noise schedule in noise alone, for very dark and very bright pictures; "
        "samples too. For bases that predict v; one whose files say that it was trained so needs "
        "nothing here.",
        source="arXiv 2305.08891",
    )
