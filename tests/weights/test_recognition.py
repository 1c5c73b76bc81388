"""What a file or folder is, told from its names and shapes; and what is refused, with a remedy."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from checkpoints import write_header
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.sd1_checkpoint import open_checkpoint
from lora_wizard.core.weights.recognition import file_facts, recognise_file, refusal
from lora_wizard.core.weights.recognition_folder import recognise_folder

UNET = "model.diffusion_model."
ATTENTION = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
Shapes = dict[str, tuple[int, ...]]


def unet(channels: int, text: int, **more: tuple[int, ...]) -> Shapes:
    return {
        f"{UNET}input_blocks.0.0.weight": (320, channels, 3, 3),
        ATTENTION: (320, text),
        **more,
    }


CLIP = {"cond_stage_model.transformer.text_model.final_layer_norm.weight": (768,)}
OPEN_CLIP = {"cond_stage_model.model.ln_final.weight": (1024,)}
TWO = {"conditioner.embedders.1.model.ln_final.weight": (1280,)}
BASES: list[tuple[str, str, Shapes]] = [
    ("sd1", "1.x", unet(4, 768, **CLIP)),
    ("sd2", "2.x", unet(4, 1024, **OPEN_CLIP)),
    ("sdxl", "XL", unet(4, 2048, **TWO)),
    ("sd3", "3", {f"{UNET}joint_blocks.0.context_block.adaLN_modulation.1.bias": (9,)}),
    ("flux", "Flux", {"double_blocks.0.img_attn.norm.key_norm.scale": (128,)}),
    (
        "chroma",
        "Chroma",
        {
            "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
            "distilled_guidance_layer.in_proj.bias": (5,),
        },
    ),
]
OTHERS: list[tuple[str, Shapes]] = [
    ("a LoRA", {"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (16, 1280, 1, 1)}),
    ("a LoRA", {"transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight": (16, 3072)}),
    ("a LoRA", {"lora_unet_down_blocks_0.hada_w1_a": (16, 4)}),
    ("a VAE", {"encoder.conv_in.weight": (128, 3, 3, 3), "decoder.conv_in.weight": (512, 4, 3, 3)}),
    (
        "a VAE",
        {
            "first_stage_model.encoder.conv_in.weight": (128, 3, 3, 3),
            "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
        },
    ),
    ("an embedding", {"emb_params": (4, 768)}),
    ("an embedding", {"clip_l": (4, 768), "clip_g": (4, 1280)}),
    ("a ControlNet", {"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}),
    ("an inpainting model", unet(9, 768, **CLIP)),
    ("a model that edits", unet(8, 768, **CLIP)),
    ("the refiner", unet(4, 1280, **TWO)),
    ("a U-Net alone", unet(4, 768)),
    ("the U-Net of a folder", {"conv_in.weight": (320, 4, 3, 3), "down_blocks.0.x": (4,)}),
    ("a CLIP text encoder", {"text_model.embeddings.token_embedding.weight": (49408, 768)}),
    ("a language model", {"model.layers.0.self_attn.q_proj.weight": (64, 64)}),
    ("an unknown kind", {"something.else.weight": (3, 3)}),
    ("an empty file", {}),
]


@pytest.mark.parametrize(("family", "words", "shapes"), BASES)
def test_a_base_is_known_by_its_names(
    tmp_path: Path, family: str, words: str, shapes: Shapes
) -> None:
    seen = recognise_file(write_header(tmp_path / "x.safetensors", shapes))
    assert (seen.family, seen.is_base) == (family, True)
    assert words in seen.what
    assert seen.why
    assert refusal(seen, family, "It") is None
    assert "not Another" in str(refusal(seen, "another", "Another"))


@pytest.mark.parametrize(("words", "shapes"), OTHERS)
def test_what_is_no_base_is_called_by_its_name(tmp_path: Path, words: str, shapes: Shapes) -> None:
    seen = recognise_file(write_header(tmp_path / "x.safetensors", shapes))
    assert seen.what.startswith(words)
    error = refusal(seen, "sd1", "Stable Diffusion 1.x")
    assert error and error.remedy and words in error.title


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.ckpt", b"PK\x03\x04", "pickled"),
        ("m.safetensors", b"PK\x03\x04archive/data.pkl", "pickled"),
        ("m.safetensors", b"\x80\x02}q\x00", "pickled"),
        ("m.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "pointer"),
        ("m.safetensors", b"\n<!DOCTYPE html><html><title>Sign in</title>", "web page"),
        ("m.safetensors", b'{"error":"Unauthorized","message":"log in"}', "error message"),
        ("m.safetensors", b"GGUF\x03\0\0\0", "GGUF"),
        ("m.safetensors", b"", "incomplete"),
        ("m.safetensors.aria2", b"", "being downloaded"),
        ("m.safetensors", b"\x00\x10\0\0\0\0\0\0{", "incomplete"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_a_remedy(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WizardError, match=said) as caught:
        open_checkpoint(name, path)
    assert caught.value.remedy


def test_a_download_that_goes_on_beside_a_full_size_file(tmp_path: Path) -> None:
    path = write_header(tmp_path / "m.safetensors", dict(BASES[0][2]))
    path.with_name("m.safetensors.aria2").write_bytes(b"")
    with pytest.raises(WizardError, match="being downloaded"):
        recognise_file(path)


def test_facts_of_a_checkpoint(tmp_path: Path) -> None:
    shapes: Shapes = {**unet(4, 768, **CLIP), "model_ema.decay": (), "model_ema.a": (1000, 1000)}
    facts = file_facts(recognise_file(write_header(tmp_path / "m.safetensors", shapes)).header)
    assert facts.parameters == 320 * 4 * 9 + 320 * 768 + 768
    assert (facts.precision, facts.text_width) == ("f16", 768)
    assert (facts.has_vae, facts.has_text_encoder) == (False, True)


@pytest.mark.parametrize(
    ("index", "unet_config", "expected"),
    [
        ("StableDiffusionPipeline", {"cross_attention_dim": 768}, ("sd1", "1.x")),
        ("StableDiffusionPipeline", {"cross_attention_dim": 1024}, ("sd2", "2.x")),
        ("StableDiffusionInpaintPipeline", {"in_channels": 9}, ("", "inpainting")),
        ("StableDiffusionXLPipeline", {}, ("sdxl", "XL")),
        ("FluxPipeline", None, ("flux", "Flux")),
        ("KandinskyPipeline", None, ("", "KandinskyPipeline")),
        (None, {"cross_attention_dim": 768}, ("sd1", "1.x")),
    ],
)
def test_a_folder_is_known_by_its_configurations(
    tmp_path: Path,
    index: str | None,
    unet_config: dict[str, int] | None,
    expected: tuple[str, str],
) -> None:
    if index:
        (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": index}))
    if unet_config is not None:
        (tmp_path / "unet").mkdir()
        (tmp_path / "unet" / "config.json").write_text(json.dumps(unet_config))
    seen = recognise_folder(tmp_path)
    assert seen and seen.family == expected[0] and expected[1] in seen.what


def test_a_folder_that_is_not_quite_the_one_says_which(tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "a.safetensors").write_bytes(b"")
    inner = tmp_path / "model" / "unet"
    inner.mkdir(parents=True)
    (tmp_path / "model" / "model_index.json").write_text("{}")
    cached = tmp_path / "models--runway--sd" / "snapshots"
    cached.mkdir(parents=True)
    for folder, said in (
        (checkpoints, "a.safetensors"),
        (inner, str(inner.parent)),
        (cached.parent, "runway/sd"),
        (tmp_path, "model"),
    ):
        seen = recognise_folder(folder)
        assert seen and said in seen.remedy and not seen.is_base


def test_hostile_headers_end_in_words(tmp_path: Path) -> None:
    """Names and shapes at random, put together from those of real models."""
    dice = random.Random(7)
    known = [name for _, _, shapes in BASES for name in shapes]
    known += [name for _, shapes in OTHERS for name in shapes]
    known += [f"{UNET}input_blocks.{n}.0.op.weight" for n in range(3)]
    known += [f"{UNET}input_blocks.{n}.0.in_layers.2.weight" for n in range(3)]
    known += ["first_stage_model.encoder.down.0.block.0.conv1.weight", "\x1b[31m", "v_pred"]
    known += ["cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"]
    path = tmp_path / "x.safetensors"
    for _ in range(600):
        names = dice.sample(known, dice.randint(0, 8))
        shapes: Shapes = {
            name: tuple(dice.choice((0, 1, 4, 64, 320)) for _ in range(dice.randint(0, 4)))
            for name in names
        }
        write_header(path, shapes)
        seen = recognise_file(path)
        assert seen.what.isprintable() and seen.why.isprintable()
        file_facts(seen.header)
        try:
            open_checkpoint("x", path)
        except WizardError as error:
            assert error.remedy
