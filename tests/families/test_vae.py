"""A VAE that is not the base's own."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import checkpoint_of
from diffusers import AutoencoderKL
from lora_wizard.core import preflight
from lora_wizard.core.config import ModelOptions, configfile
from lora_wizard.core.families.base import ModelFamily
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.weights.base_model import BaseModelError
from safetensors.torch import load_file, save_file
from tiny_sd import build

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(a base, another whose VAE is different)."""
    folder = tmp_path_factory.mktemp("bases")
    one, other = (build(folder / name, vae_factor=8, like_sd1=True) for name in "ab")
    file = other / "vae" / "diffusion_pytorch_model.safetensors"
    shifted = {name: tensor + 0.01 for name, tensor in load_file(file).items()}
    save_file(shifted, file, {"format": "pt"})
    return one, other


def family(base: Path, vae: Path | str = "") -> ModelFamily:
    return StableDiffusion1(ModelOptions(base=str(base), vae=str(vae), precision="fp32"), CPU)


def vae_alone(other: Path, tmp_path: Path, *, original: bool, prefix: str = "") -> Path:
    """The VAE of ``other`` in a file of its own."""
    whole = load_file(checkpoint_of(other, tmp_path / "whole.safetensors"))
    tensors = {
        prefix + name.removeprefix("first_stage_model."): tensor
        for name, tensor in whole.items()
        if name.startswith("first_stage_model.")
    }
    if not original:
        tensors = load_file(other / "vae" / "diffusion_pytorch_model.safetensors")
    path = tmp_path / "alone.safetensors"
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("form", ["base", "folder", "original", "prefixed", "diffusers", "whole"])
def test_it_encodes_and_decodes_in_the_place_of_the_bases_own(
    form: str, bases: tuple[Path, Path], tmp_path: Path
) -> None:
    base, other = bases
    given = {
        "base": lambda: other,
        "folder": lambda: other / "vae",
        "original": lambda: vae_alone(other, tmp_path, original=True),
        "prefixed": lambda: vae_alone(other, tmp_path, original=True, prefix="first_stage_model."),
        "diffusers": lambda: vae_alone(other, tmp_path, original=False),
        "whole": lambda: checkpoint_of(other, tmp_path / "whole.safetensors"),
    }[form]()
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    reference: Any = AutoencoderKL.from_pretrained(other, subfolder="vae")
    with torch.no_grad():
        posterior = reference.encode(pixels).latent_dist
    expected = torch.cat([posterior.mean, posterior.std], dim=1)
    torch.testing.assert_close(family(base, given).encode_images(pixels), expected)
    own = family(base).encode_images(pixels)
    assert not torch.allclose(own, expected, atol=1e-3)
    hashes = {family(base).base_hash(), family(base, given).base_hash(), family(other).base_hash()}
    assert len(hashes) == 3, "the cache knows them apart"


def told(base: Path, vae: Path | str, tmp_path: Path) -> list[tuple[str, str]]:
    toml = tmp_path / "run.toml"
    toml.write_text(
        f"[model]\nbase = {json.dumps(str(base))}\nvae = {json.dumps(str(vae))}\n"
        '[dataset]\nfolder = "pictures"\n'
    )
    config = configfile.load(toml)
    return [
        (problem.severity, problem.message)
        for problem in preflight.check(config)
        if problem.where == "model.vae"
    ]


def test_a_wrong_one_is_named_before_anything_is_loaded(
    bases: tuple[Path, Path], tmp_path: Path
) -> None:
    base, other = bases
    assert told(base, other / "vae", tmp_path) == []
    pickled = tmp_path / "vae.pt"
    pickled.write_bytes(b"x")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x00" * 20)
    unet = other / "unet" / "diffusion_pytorch_model.safetensors"
    for wrong in (tmp_path / "nowhere", pickled, broken, unet, tmp_path):
        ((severity, message),) = told(base, wrong, tmp_path)
        assert severity == "error", message
        with pytest.raises(BaseModelError):
            family(base, wrong)
    small = build(tmp_path / "small", vae_factor=2)
    ((severity, message),) = told(base, small, tmp_path)
    assert severity == "error" and "another family" in message


def test_a_relative_path_counts_from_the_toml(bases: tuple[Path, Path], tmp_path: Path) -> None:
    base, other = bases
    (tmp_path / "vae").symlink_to(other / "vae")
    assert told(base, "vae", tmp_path) == []
