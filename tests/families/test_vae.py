"""A VAE that is not the base's own."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import checkpoint_of
from diffusers import AutoencoderKL
from lora_wizard.core import preflight
from lora_wizard.core.config import ModelOptions, RunConfig, configfile
from lora_wizard.core.families.base import ModelFamily
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.preflight_base import inspect_base
from lora_wizard.core.weights.base_model import BaseModelError
from lora_wizard.tui.walk import bases as bases_of_wizard
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


def configured(base: Path, vae: Path | str, tmp_path: Path) -> RunConfig:
    toml = tmp_path / "run.toml"
    toml.write_text(
        f"[model]\nbase = {json.dumps(str(base))}\nvae = {json.dumps(str(vae))}\n"
        '[dataset]\nfolder = "pictures"\n'
    )
    return configfile.load(toml)


def told(base: Path, vae: Path | str, tmp_path: Path) -> list[tuple[str, str]]:
    config = configured(base, vae, tmp_path)
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


def without_vae(base: Path, tmp_path: Path, *, single: bool) -> Path:
    if not single:
        copy = Path(shutil.copytree(base, tmp_path / "novae"))
        shutil.rmtree(copy / "vae")
        return copy
    path = checkpoint_of(base, tmp_path / "novae.safetensors")
    tensors = load_file(path)
    kept = {name: t for name, t in tensors.items() if not name.startswith("first_stage_model.")}
    save_file(kept, path)
    return path


@pytest.mark.parametrize("single", [True, False])
def test_a_base_without_one_takes_it_and_is_the_same(
    single: bool, bases: tuple[Path, Path], tmp_path: Path
) -> None:
    base, other = bases
    lacking = without_vae(base, tmp_path, single=single)
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    one, whole = family(lacking, other / "vae"), family(base, other / "vae")
    latents = one.encode_images(pixels)
    torch.testing.assert_close(latents, whole.encode_images(pixels), rtol=0, atol=0)
    assert one.latent_shape(64, 32) == whole.latent_shape(64, 32)
    assert one.base_hash() != family(lacking, base / "vae").base_hash()
    assert told(lacking, other / "vae", tmp_path) == []
    found = [inspect_base(configured(of, other / "vae", tmp_path), SPEC) for of in (lacking, base)]
    assert found[0].parts == found[1].parts and found[0].parts["vae"].values
    view = bases_of_wizard.look(str(lacking), tmp_path)
    assert view.is_base and "no VAE in it: it needs another" in view.facts


@pytest.mark.parametrize("single", [True, False])
def test_without_one_anywhere_the_remedy_says_so(
    single: bool, bases: tuple[Path, Path], tmp_path: Path
) -> None:
    lacking = without_vae(bases[0], tmp_path, single=single)
    (problem,) = inspect_base(configured(lacking, "", tmp_path), SPEC).problems
    assert "no VAE" in problem.message and "Give model.vae" in problem.remedy
    with pytest.raises(BaseModelError, match="no VAE"):
        family(lacking)
    wide = save_channels(bases[1], tmp_path, 16)
    ((severity, message),) = told(lacking, wide, tmp_path)
    assert severity == "error" and "16 channels" in message


def save_channels(base: Path, tmp_path: Path, channels: int) -> Path:
    """The VAE of ``base``, but for its configuration's number of latent channels."""
    folder = Path(shutil.copytree(base / "vae", tmp_path / "wide"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "latent_channels": channels}))
    return folder


def test_a_relative_path_counts_from_the_toml(bases: tuple[Path, Path], tmp_path: Path) -> None:
    base, other = bases
    (tmp_path / "vae").symlink_to(other / "vae")
    assert told(base, "vae", tmp_path) == []
