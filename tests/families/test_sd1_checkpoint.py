"""Stable Diffusion 1.x in a single file: read as if it were its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from checkpoints import SD15, checkpoint_of, sd15_tensors, write_header
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from lora_wizard.core.families.sd1_checkpoint import open_checkpoint
from lora_wizard.core.weights.base_model import BaseModelError
from lora_wizard.core.weights.recognition import recognise_file
from safetensors.torch import load_file, save_file
from tiny_sd import build, load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("base") / "folder", like_sd1=True)


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    return checkpoint_of(folder, folder.parent / "photo-real.safetensors")


@pytest.fixture(scope="module")
def sd15() -> dict[str, torch.Tensor]:
    return sd15_tensors()


def test_stable_diffusion_15_is_inferred_whole(
    sd15: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in sd15.items()}
    base = open_checkpoint("sd15", write_header(tmp_path / "sd15.safetensors", shapes))
    for part, expected in SD15.items():
        found = base.config(part)
        assert {key: found[key] for key in expected} == expected
    assert base.config("vae")["scaling_factor"] == 0.18215
    assert len(base.weights["unet"]) == 686
    assert len(base.weights["vae"]) == 248
    assert len(base.weights["text_encoder"]) == 196
    assert recognise_file(base.folder).what == "Stable Diffusion 1.x"


def test_the_names_are_those_that_diffusers_converts(sd15: dict[str, torch.Tensor]) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SD15["unet"]).state_dict()
        vae = AutoencoderKL(**SD15["vae"]).state_dict()
    converted = convert_ldm_unet_checkpoint(dict(sd15), {**SD15["unet"], "class_embed_type": None})
    assert {name: tensor.shape for name, tensor in converted.items()} == {
        name: tensor.shape for name, tensor in unet.items()
    }
    converted = convert_ldm_vae_checkpoint(dict(sd15), SD15["vae"])
    assert {name: tensor.shape for name, tensor in converted.items()} == {
        name: tensor.shape for name, tensor in vae.items()
    }


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_number_is_the_folders(folder: Path, file: Path, precision: str) -> None:
    one, other = load(file, precision=precision), load(folder, precision=precision)
    for part in ("denoiser", "vae", "text_encoder"):
        ours, theirs = getattr(one, part).state_dict(), getattr(other, part).state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        assert all(ours[name].dtype == theirs[name].dtype for name in theirs)


def test_it_computes_what_the_folder_computes(folder: Path, file: Path) -> None:
    one, other = load(file), load(folder)
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(one.encode_images(pixels), other.encode_images(pixels))
    words = ["mika, a photo", "Größe 猫"]
    text = one.encode_prompts(words)["text"]
    assert torch.equal(text, other.encode_prompts(words)["text"])
    noisy, when = torch.randn(2, *one.latent_shape(32, 32)), torch.tensor([3, 900])
    assert torch.equal(one.denoise(noisy, when, text), other.denoise(noisy, when, text))


def test_diffusers_reads_the_checkpoint_as_we_do(folder: Path, file: Path) -> None:
    pipeline = StableDiffusionPipeline.from_single_file(
        str(file), config=str(folder), local_files_only=True
    )
    ours = load(file)
    for part, name in (("denoiser", "unet"), ("vae", "vae")):
        theirs = getattr(pipeline, name).state_dict()
        found = getattr(ours, part).state_dict()
        assert all(torch.equal(found[key], theirs[key]) for key in theirs)


def test_the_hash_is_of_file_and_words_and_not_of_the_place(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path / "renamed.safetensors")
    shutil.copytree(file.parent / "tokenizer", tmp_path / "tokenizer")
    other = tmp_path / "renamed.safetensors"
    assert load(other).base_hash() == load(file).base_hash()
    merges = tmp_path / "tokenizer" / "merges.txt"
    merges.write_text(merges.read_text() + "a b\n")
    assert load(other).base_hash() != load(file).base_hash()
    merges.write_text("#version: 0.2\n")
    content = other.read_bytes()
    other.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert load(other).base_hash() != load(file).base_hash()


def test_a_merge_that_lost_a_level_of_names_is_read(file: Path, tmp_path: Path) -> None:
    shutil.copytree(file.parent / "tokenizer", tmp_path / "tokenizer")
    tensors = {
        name.replace("transformer.text_model.", "transformer."): tensor
        for name, tensor in load_file(file).items()
    }
    save_file(tensors, tmp_path / "merge.safetensors")
    words = ["mika"]
    merged = load(tmp_path / "merge.safetensors").encode_prompts(words)["text"]
    assert torch.equal(merged, load(file).encode_prompts(words)["text"])


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("first_stage_model.", "VAE"),
        ("cond_stage_model.", "no text encoder"),
        ("model.diffusion_model.middle_block.", "lacks weights"),
        ("first_stage_model.decoder.mid.attn_1.q", "lacks weights"),
    ],
)
def test_what_is_missing_in_a_checkpoint_is_said(
    file: Path, tmp_path: Path, lost: str, said: str
) -> None:
    kept = {name: t for name, t in load_file(file).items() if not name.startswith(lost)}
    save_file(kept, tmp_path / "less.safetensors")
    shutil.copytree(file.parent / "tokenizer", tmp_path / "tokenizer")
    with pytest.raises(BaseModelError, match=said) as caught:
        family = load(tmp_path / "less.safetensors")
        _ = family.denoiser, family.vae
    assert caught.value.remedy


def test_a_checkpoint_that_predicts_velocity_says_so_itself(folder: Path, tmp_path: Path) -> None:
    said = {"modelspec.prediction_type": "v"}
    file = checkpoint_of(folder, tmp_path / "v.safetensors", **said)
    assert load(file).spec.prediction == "v"
