"""Which layers of the real Stable Diffusion 1.5 get a LoRA, and what they are called in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from lora_wizard.core.families import clip_text_model as clip_text
from lora_wizard.core.families.sd1_model import denoiser_targets
from tiny_sd import load
from transformers import CLIPTextConfig, CLIPTextModel


@pytest.fixture(scope="module")
def real_unet() -> Iterator[UNet2DConditionModel]:
    with torch.device("meta"):
        yield UNet2DConditionModel(
            sample_size=64,
            in_channels=4,
            out_channels=4,
            block_out_channels=(320, 640, 1280, 1280),
            down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
            layers_per_block=2,
            cross_attention_dim=768,
            attention_head_dim=8,
        )


@pytest.fixture(scope="module")
def real_text_encoder() -> Iterator[CLIPTextModel]:
    with torch.device("meta"):
        yield CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=768,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
                max_position_embeddings=77,
                projection_dim=768,
                hidden_act="quick_gelu",
            )
        )


def test_192_layers_of_the_unet(real_unet: UNet2DConditionModel) -> None:
    names = denoiser_targets(real_unet)
    assert len(names) == len(set(names)) == 192
    # 16 transformers of: 8 attention projections, 2 of the feed-forward, proj_in and proj_out.
    assert sum(name.endswith(("proj_in", "proj_out")) for name in names) == 32
    assert not [name for name in names if "resnets" in name or "samplers" in name]


def test_72_layers_of_the_text_encoder(real_text_encoder: CLIPTextModel) -> None:
    names = clip_text.targets(real_text_encoder)
    assert len(names) == len(set(names)) == 72


def test_the_keys_are_those_of_files_in_the_wild(
    tiny_sd: Path, real_unet: UNet2DConditionModel, real_text_encoder: CLIPTextModel
) -> None:
    family = load(tiny_sd)
    keys = {family.lora_key("denoiser", name) for name in denoiser_targets(real_unet)}
    keys |= {family.lora_key("text_encoder", name) for name in clip_text.targets(real_text_encoder)}
    assert len(keys) == 264
    assert {
        "lora_unet_down_blocks_0_attentions_0_proj_in",
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0",
        "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_ff_net_0_proj",
        "lora_te_text_model_encoder_layers_0_self_attn_q_proj",
        "lora_te_text_model_encoder_layers_11_mlp_fc2",
    } <= keys


def test_older_names_of_the_text_encoders_layers_give_the_same_keys(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    name = "encoder.layers.0.mlp.fc1"
    assert family.lora_key("text_encoder", f"text_model.{name}") == family.lora_key(
        "text_encoder", name
    )
