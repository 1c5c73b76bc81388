"""LoRA files: what is in them, that others read them, and that nothing broken is written."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch
from diffusers import StableDiffusionPipeline
from lora_wizard.core.config import NetworkOptions
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.networks import registry
from lora_wizard.core.networks.base import Network
from lora_wizard.core.sampling import samplers
from lora_wizard.core.weights import kohya
from lora_wizard.core.weights.header import HeaderError, read_header
from PIL.Image import Image
from tiny_sd import load, stir

BOTH = ("denoiser", "text_encoder")
METADATA = {"ss_output_name": "mika", "ss_network_dim": "4", "modelspec.title": "Größe 猫"}


@pytest.fixture
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


@pytest.fixture
def network(family: StableDiffusion1) -> Iterator[Network]:
    attached = registry.attach(family, NetworkOptions(rank=4, alpha=3.0), 42, BOTH)
    stir(attached)
    yield attached


def difference(one: Image, other: Image) -> int:
    return int(numpy.abs(numpy.asarray(one, "int16") - numpy.asarray(other, "int16")).max())


@pytest.mark.parametrize("sampler", ["euler_a", "ddim", "dpm++_2m"])
@pytest.mark.parametrize("parts", [BOTH, ("denoiser",), ("text_encoder",)])
def test_diffusers_draws_from_the_file_what_we_draw_from_memory(
    tiny_sd: Path, tmp_path: Path, sampler: str, parts: tuple[str, ...]
) -> None:
    family = load(tiny_sd)
    prompt = SamplePrompt("mika, a star", "blurry", 32, 40, 6, 7.5, 42, sampler)
    base = family.sample([prompt])[0]
    network = registry.attach(family, NetworkOptions(rank=4, alpha=3.0), 42, parts)
    stir(network)
    ours = family.sample([prompt])[0]
    kohya.save(tmp_path / "mika.safetensors", network, "fp32", METADATA)

    pipeline: Any = StableDiffusionPipeline.from_pretrained(tiny_sd, use_safetensors=True)
    pipeline.scheduler = samplers.build(sampler, pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_lora_weights(tmp_path, weight_name="mika.safetensors")
    theirs = pipeline(
        prompt.prompt,
        negative_prompt=prompt.negative_prompt,
        width=prompt.width,
        height=prompt.height,
        num_inference_steps=prompt.steps,
        guidance_scale=prompt.guidance,
        generator=torch.Generator("cpu").manual_seed(prompt.seed),
    ).images[0]
    assert difference(ours, base) > 10
    assert difference(ours, theirs) <= 1


def test_its_keys_and_shapes_are_kohyas(network: Network, tmp_path: Path) -> None:
    kohya.save(tmp_path / "mika.safetensors", network, "fp16", METADATA)
    tensors = safetensors.torch.load_file(tmp_path / "mika.safetensors")
    layers = {name.partition(".")[0] for name in tensors}
    assert len(layers) == sum(network.layer_counts.values())
    assert tensors.keys() == {
        f"{layer}.{kind}"
        for layer in layers
        for kind in ("lora_down.weight", "lora_up.weight", "alpha")
    }
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    convolution = "lora_unet_mid_block_attentions_0_proj_in"
    assert tensors[f"{convolution}.lora_down.weight"].shape == (4, 16, 1, 1)
    assert tensors[f"{convolution}.lora_up.weight"].shape == (16, 4, 1, 1)
    assert {float(tensors[f"{layer}.alpha"]) for layer in layers} == {3.0}


def test_an_alpha_that_would_be_rounded_stays_exact(family: StableDiffusion1) -> None:
    network = registry.attach(family, NetworkOptions(rank=4, alpha=0.3), 42, BOTH)
    tensors = kohya.at_precision(network.file_tensors(), "bf16")
    alphas = {name: tensor for name, tensor in tensors.items() if name.endswith(".alpha")}
    assert {float(alpha) for alpha in alphas.values()} == {float(torch.tensor(0.3))}
    assert {t.dtype for name, t in tensors.items() if name not in alphas} == {torch.bfloat16}


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_what_is_written_is_read_again(network: Network, tmp_path: Path, precision: Any) -> None:
    path = tmp_path / "mika.safetensors"
    digest = kohya.save(path, network, precision, METADATA)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    tensors, metadata = kohya.read(path)
    expected = kohya.at_precision(network.file_tensors(), precision)
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)
    assert metadata.items() >= METADATA.items()

    state = network.state_dict()
    stir(network, seed=9)
    kohya.load_into(network, path)
    loaded = network.state_dict()
    dtype = tensors[next(name for name in tensors if name.endswith("up.weight"))].dtype
    assert all(torch.equal(loaded[name], state[name].to(dtype).float()) for name in state)


def test_another_alpha_is_the_same_lora_in_other_units(
    tiny_sd: Path, family: StableDiffusion1, network: Network, tmp_path: Path
) -> None:
    kohya.save(tmp_path / "mika.safetensors", network, "fp32", METADATA)
    prompt = SamplePrompt("mika", "", 32, 32, 4, 5.0, 1, "euler")
    other = load(tiny_sd)
    louder = registry.attach(other, NetworkOptions(rank=4, alpha=4.0), 7, BOTH)
    kohya.load_into(louder, tmp_path / "mika.safetensors")
    assert difference(family.sample([prompt])[0], other.sample([prompt])[0]) <= 1


def test_the_same_lora_gives_the_same_bytes_in_every_process() -> None:
    code = """
import hashlib, sys, torch
from lora_wizard.core.weights import kohya
words = sys.argv[1:]
tensors = {word: torch.full((3,), float(len(word))) for word in words}
metadata = {f"ss_{word}": word for word in words}
print(hashlib.sha256(kohya.file_bytes(tensors, metadata)).hexdigest())
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        ).stdout
        for words in (["a", "bb", "ccc", "dddd"], ["dddd", "ccc", "bb", "a"])
    ]
    assert outputs[0] == outputs[1]


def test_the_same_weights_give_the_same_bytes(tiny_sd: Path, network: Network) -> None:
    again = registry.attach(load(tiny_sd), NetworkOptions(rank=4, alpha=3.0), 42, BOTH)
    stir(again)
    assert kohya.to_bytes(again, "bf16", METADATA) == kohya.to_bytes(network, "bf16", METADATA)


def test_the_data_lies_where_safetensors_puts_it(network: Network) -> None:
    tensors = network.file_tensors()
    tensors["half"] = torch.randn(3).half()
    tensors["wide"] = torch.arange(3)
    ours = kohya.file_bytes(tensors, {})
    theirs = safetensors.torch.save(tensors)

    def data(content: bytes) -> bytes:
        return content[8 + int.from_bytes(content[:8], "little") :]

    assert data(ours) == data(theirs)


@pytest.mark.parametrize("size", [10, 300_000])
def test_the_hashes_are_those_that_other_tools_compute(tmp_path: Path, size: int) -> None:
    tensors = {"b": torch.randn(size), "a": torch.randn(7)}
    metadata = {"ss_comment": "x" * 1000, "ss_tag": "猫", "modelspec.title": "title"}
    path = tmp_path / "lora.safetensors"
    path.write_bytes(kohya.file_bytes(tensors, metadata))
    header = read_header(path)

    # The old hash is over a window of the file as it would be with its ss_ metadata only.
    trained = {name: text for name, text in metadata.items() if name.startswith("ss_")}
    file = io.BytesIO(safetensors.torch.save(tensors, trained))
    file.seek(0x100000)
    assert header.metadata["sshs_legacy_hash"] == hashlib.sha256(file.read(0x10000)).hexdigest()[:8]

    digest = hashlib.sha256(path.read_bytes()[header.data_start :]).hexdigest()
    assert header.metadata["sshs_model_hash"] == digest
    assert header.metadata["modelspec.hash_sha256"] == f"0x{digest}"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_never_saved(
    network: Network, tmp_path: Path, bad: float
) -> None:
    path = tmp_path / "mika.safetensors"
    kohya.save(path, network, "bf16", METADATA)
    before = path.read_bytes()
    with torch.no_grad():
        network.parameters_of("text_encoder")[-1].view(-1)[-1] = bad
    with pytest.raises(WizardError, match="not finite"):
        kohya.save(path, network, "bf16", METADATA)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_number_too_large_for_the_files_precision_is_not_saved(network: Network) -> None:
    with torch.no_grad():
        network.parameters_of("denoiser")[0].view(-1)[0] = 1e5
    with pytest.raises(WizardError, match="not finite"):
        kohya.to_bytes(network, "fp16", METADATA)
    assert kohya.to_bytes(network, "bf16", METADATA)


def test_a_file_for_something_else_is_refused_by_name(
    tiny_sd: Path, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    before = network.state_dict()
    other = registry.attach(load(tiny_sd), NetworkOptions(rank=4), 1, ("denoiser",))
    kohya.save(path, other, "fp32", {})
    with pytest.raises(WizardError, match=r"other\.safetensors"):
        kohya.load_into(network, path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(HeaderError, match="incomplete"):
        kohya.load_into(network, path)
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_texts_that_are_no_unicode_do_not_spoil_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lora.safetensors"
    path.write_bytes(kohya.file_bytes({"a": torch.zeros(1)}, {"ss_comment": "a\udcffb\x00\x1b\n"}))
    assert read_header(path).metadata["ss_comment"] == "a?b\x00\x1b\n"
