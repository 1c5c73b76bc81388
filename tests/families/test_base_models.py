"""A base model that is not whole, not there or not safe is refused with what to do about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from lora_wizard.core.families.sd1 import SPEC
from lora_wizard.core.weights import base_model
from lora_wizard.core.weights.base_model import BaseModelError, locate
from lora_wizard.core.weights.base_model_parts import load_part
from safetensors.torch import load_file, save_file
from tiny_sd import build, load


@pytest.fixture
def copy(tiny_sd: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_sd, tmp_path / "copy"))


def refused(folder: Path | str) -> BaseModelError:
    with pytest.raises(BaseModelError) as caught:
        locate(str(folder), SPEC.parts, SPEC.open_file)
    assert caught.value.remedy
    return caught.value


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "not there" in refused(tmp_path / "nothing").title


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt"])
def test_a_pickled_checkpoint_is_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04cposix\nsystem\n")
    error = refused(tmp_path / name)
    assert "pickled" in error.title
    assert "safe_serialization" in error.remedy


def test_a_folder_with_pickled_weights_only(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert "pickled" in refused(copy).title


@pytest.mark.parametrize(
    "missing",
    [
        "unet/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ],
)
def test_a_missing_file_is_named(copy: Path, missing: str) -> None:
    (copy / missing).unlink()
    assert Path(missing).name in refused(copy).message


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000])
def test_a_broken_configuration_is_named(copy: Path, content: str) -> None:
    (copy / "vae" / "config.json").write_text(content)
    with pytest.raises(BaseModelError, match=r"config\.json"):
        load(copy)


@pytest.mark.parametrize("part", ["denoiser", "vae", "text_encoder"])
def test_half_a_download_is_not_loaded(copy: Path, part: str) -> None:
    folder = copy / ("unet" if part == "denoiser" else part)
    (weights,) = folder.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(BaseModelError, match="cannot be loaded"):
        getattr(load(copy), part)


@pytest.mark.parametrize("part", ["denoiser", "vae", "text_encoder"])
def test_a_weight_that_is_not_in_the_file_is_not_made_up(copy: Path, part: str) -> None:
    folder = copy / ("unet" if part == "denoiser" else part)
    (weights,) = folder.glob("*.safetensors")
    tensors = load_file(weights)
    lost = max(tensors, key=lambda name: tensors[name].numel())
    del tensors[lost]
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(BaseModelError, match="lacks weights"):
        getattr(load(copy), part)


def test_another_models_tokenizer_is_noticed(copy: Path) -> None:
    vocabulary = json.loads((copy / "tokenizer" / "vocab.json").read_text())
    del vocabulary["a</w>"]
    (copy / "tokenizer" / "vocab.json").write_text(json.dumps(vocabulary))
    with pytest.raises(BaseModelError, match="not the text encoder's"):
        _ = load(copy).tokenizer


def test_a_tokenizer_that_lacks_letters_is_noticed(copy: Path) -> None:
    text = (copy / "tokenizer" / "vocab.json").read_text()
    (copy / "tokenizer" / "vocab.json").write_text(text.replace('"a</w>"', '"aaa</w>"'))
    with pytest.raises(BaseModelError, match="every letter"):
        _ = load(copy).tokenizer


def test_something_else_to_predict_is_refused(tmp_path: Path) -> None:
    folder = build(tmp_path / "base", prediction_type="sample")
    with pytest.raises(BaseModelError, match="predicts"):
        load(folder)


def test_what_our_remedies_say_makes_a_folder_that_is_read(tiny_sd: Path, tmp_path: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_sd, use_safetensors=True)
    pipeline.save_pretrained(tmp_path / "new", safe_serialization=True)
    saved, original = load(tmp_path / "new"), load(tiny_sd)
    captions = ["mika, a photo", "Größe 猫"]
    texts = [family.encode_prompts(captions)["text"] for family in (saved, original)]
    assert torch.equal(*texts)
    states = [family.denoiser.state_dict() for family in (saved, original)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])


def test_the_names_of_weights_in_older_folders_are_understood(tiny_sd: Path, copy: Path) -> None:
    text = copy / "text_encoder" / "model.safetensors"
    renamed = {f"text_model.{name}": tensor for name, tensor in load_file(text).items()}
    renamed["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(renamed, text, {"format": "pt"})
    vae = copy / "vae" / "diffusion_pytorch_model.safetensors"
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = load_file(vae)
    for new, old in older.items():
        tensors = {name.replace(f".{new}.", f".{old}."): t for name, t in tensors.items()}
    assert any("proj_attn" in name for name in tensors)
    save_file(tensors, vae, {"format": "pt"})

    pixels = torch.rand(1, 3, 32, 32)
    families = [load(copy), load(tiny_sd)]
    encoded = [family.encode_images(pixels) for family in families]
    texts = [family.encode_prompts(["mika"])["text"] for family in families]
    assert torch.equal(*encoded)
    assert torch.equal(*texts)


def test_a_half_precision_variant_is_read(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    exact = load_file(weights)
    weights.unlink()
    half = {name: tensor.half() for name, tensor in exact.items()}
    save_file(half, weights.with_suffix(".fp16.safetensors"), {"format": "pt"})
    loaded = load(copy).denoiser.state_dict()
    assert all(torch.equal(loaded[name], half[name].float()) for name in half)


def test_half_precision_files_are_loaded_in_one_precision(tmp_path: Path) -> None:
    folder = build(tmp_path / "base", dtype=torch.float16)
    family = load(folder)
    modules = (family.denoiser, family.text_encoder, family.vae)
    assert {p.dtype for module in modules for p in module.parameters()} == {torch.float32}


class OlderUNet(UNet2DConditionModel):
    """As in diffusers 0.36, which hands keywords that it does not know to the constructor."""

    @classmethod
    def from_pretrained(cls, *args: Any, **options: Any) -> Any:
        """Takes ``torch_dtype``."""
        if "dtype" in options:
            raise TypeError("got an unexpected keyword argument 'dtype'")
        return super().from_pretrained(*args, **options)


def test_older_libraries_load_in_the_asked_precision(tiny_sd: Path) -> None:
    base = locate(str(tiny_sd), SPEC.parts)
    assert load_part(base, "unet", OlderUNet, torch.bfloat16).dtype == torch.bfloat16


def test_the_hash_is_of_the_content_and_not_of_the_place(tiny_sd: Path, copy: Path) -> None:
    (copy / "README.md").write_text("not read")
    (copy / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"not read either")
    assert load(copy).base_hash() == load(tiny_sd).base_hash()


@pytest.mark.parametrize(
    "file",
    [
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "text_encoder/config.json",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ],
)
def test_every_file_that_is_read_counts_in_the_hash(copy: Path, file: str) -> None:
    before = load(copy).base_hash()
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content + b" ")
    changed = locate(str(copy), SPEC.parts).content_hash(SPEC.parts)
    (copy / file).write_bytes(content)
    assert changed != before
    assert load(copy).base_hash() == before


def test_gigabytes_are_hashed_once(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(copy).base_hash()
    hashed: list[Path] = []
    monkeypatch.setattr(base_model, "sha256_of", lambda path: hashed.append(path) or "")
    assert load(copy).base_hash() == first
    assert not hashed


def test_a_cache_that_cannot_be_read_or_written_costs_only_time(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(copy).base_hash()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load(copy).base_hash() == first
