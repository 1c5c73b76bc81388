"""Which layers of the real Stable Diffusion 1.5 get a LoRA, and what they are called in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from lora_wizard.core.families import sd1_layers
from lora_wizard.core.families.sd1_model import denoiser_targets, text_encoder_targets
from lora_wizard.core.weights.base_model import BaseModel
from tiny_sd import load
from transformers import CLIPTextConfig, CLIPTextModel


@pytest.fixture(scope="module")
def real_unet() -> UNet2DConditionModel:
    with torch.device("meta"):
        return UNet2DConditionModel(
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
def real_text_encoder() -> CLIPTextModel:
    with torch.device("meta"):
        return CLIPTextModel(
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
    names = text_encoder_targets(real_text_encoder)
    assert len(names) == len(set(names)) == 72


def test_the_keys_are_those_of_files_in_the_wild(
    tiny_sd: Path, real_unet: UNet2DConditionModel, real_text_encoder: CLIPTextModel
) -> None:
    family = load(tiny_sd)
    keys = {family.lora_key("denoiser", name) for name in denoiser_targets(real_unet)}
    keys |= {
        family.lora_key("text_encoder", name) for name in text_encoder_targets(real_text_encoder)
    }
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


def test_other_programs_names_of_the_real_layers(
    tmp_path: Path, real_unet: UNet2DConditionModel, real_text_encoder: CLIPTextModel
) -> None:
    write_shapes(real_unet, tmp_path / "unet/diffusion_pytorch_model.safetensors")
    write_shapes(real_text_encoder, tmp_path / "text_encoder/model.safetensors")
    (tmp_path / "unet/config.json").write_text(json.dumps(dict(real_unet.config)))
    base = BaseModel("real", tmp_path, {"unet": None, "text_encoder": None})
    targets = sd1_layers.targets(base)
    assert len(targets) == 192 + 86 + 72
    assert sum(target.is_convolution for target in targets) == 50
    by_name: dict[str, str] = {}
    for target in targets:
        for name in target.other_names:
            assert by_name.setdefault(name, target.name) == target.name
    for name, layer in {
        "lora_unet_input_blocks_1_1_proj_in": "down_blocks.0.attentions.0.proj_in",
        "lora_unet_input_blocks_9_0_op": "down_blocks.2.downsamplers.0.conv",
        "lora_unet_middle_block_2_out_layers_3": "mid_block.resnets.1.conv2",
        "lora_unet_output_blocks_2_1_conv": "up_blocks.0.upsamplers.0.conv",
        "lora_unet_output_blocks_5_2_conv": "up_blocks.1.upsamplers.0.conv",
        "lora_unet_output_blocks_11_0_emb_layers_1": "up_blocks.3.resnets.2.time_emb_proj",
        "lora_unet_output_blocks_11_1_transformer_blocks_0_attn2_to_out_0": (
            "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_out.0"
        ),
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora": (
            "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"
        ),
        "base_model.model.down_blocks.0.resnets.0.conv1": "down_blocks.0.resnets.0.conv1",
    }.items():
        assert by_name[name] == layer
    originals = [name for name in by_name if "put_blocks_" in name or "middle_block_" in name]
    assert len(originals) == 192 + 86
    of_text = {by_name[f"lora_te{end}_text_model_encoder_layers_3_mlp_fc1"] for end in ("", "1")}
    assert len(of_text) == 1


def write_shapes(module: torch.nn.Module, path: Path) -> None:
    """A weight file of the module's shapes, whose numbers take no room on the disk."""
    header: dict[str, object] = {}
    end = 0
    for name, weight in module.state_dict().items():
        start, end = end, end + 2 * weight.numel()
        header[name] = {
            "dtype": "F16",
            "shape": list(weight.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    os.truncate(path, 8 + len(text) + end)
