"""LoRA on convolutions: on which layers, what they compute, and that others read the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from lora_wizard.core.config import NetworkOptions
from lora_wizard.core.families import sd1_layers
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1 import COSTS, SPEC
from lora_wizard.core.families.sd1_model import StableDiffusion1, denoiser_targets
from lora_wizard.core.networks import registry
from lora_wizard.core.preflight_base import inspect_base
from lora_wizard.core.weights import kohya
from tiny_sd import load, stir
from training_runs import draw_pictures, files, sd_config, start

BOTH = ("denoiser", "text_encoder")
OPTIONS = NetworkOptions(rank=4, alpha=3.0, conv_rank=2, conv_alpha=5.0)


def real_unet() -> UNet2DConditionModel:
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            cross_attention_dim=768,
            attention_head_dim=8,
        )


def chosen_by_class(unet: torch.nn.Module, classes: set[str]) -> set[str]:
    """As sd-scripts chooses: all linear layers and convolutions inside modules of some classes."""
    return {
        f"{name}.{inner}"
        for name, module in unet.named_modules()
        if type(module).__name__ in classes
        for inner, layer in module.named_modules()
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d))
    }


@pytest.mark.parametrize("of", ["real", "tiny"])
def test_the_layers_are_those_of_sd_scripts(of: str, tiny_sd: Path) -> None:
    unet = real_unet() if of == "real" else load(tiny_sd).denoiser
    shapes = {name: tuple(weight.shape) for name, weight in unet.named_parameters()}
    found = sd1_layers.convolution_targets(shapes)
    blocks = {"ResnetBlock2D", "Downsample2D", "Upsample2D"}
    assert set(found) == chosen_by_class(unet, blocks)
    assert set(denoiser_targets(unet)) == chosen_by_class(unet, {"Transformer2DModel"})
    if of == "real":
        assert len(found) == 86
        wide = [name for name in found if shapes[f"{name}.weight"][2:] == (3, 3)]
        size = COSTS.parts["unet"]
        assert (size.conv_layers, size.beside_layers) == (len(wide), 86 - len(wide))
        for names, told in (
            (wide, size.conv_values),
            ([name for name in found if name not in wide], size.beside_values),
        ):
            weights = [unet.get_parameter(f"{name}.weight") for name in names]
            assert told == sum(w.shape[0] + w[0].numel() for w in weights)


def test_a_base_tells_the_same_layers_from_its_header(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    targets = sd1_layers.targets(family.base)
    ours = [*family.lora_targets()["denoiser"], *family.convolution_targets()["denoiser"]]
    told = sorted(target.name for target in targets if target.folder == "unet")
    assert told == sorted(ours)
    for target in targets:
        part = "denoiser" if target.folder == "unet" else "text_encoder"
        assert target.key == family.lora_key(part, target.name)
        assert target.key in target.other_names


@pytest.fixture
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


def predict(family: StableDiffusion1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    latents, noise = (torch.randn(2, 4, 8, 8, generator=generator) for _ in range(2))
    batch = Batch(latents, family.encode_prompts(["one", "two"]), torch.zeros(2, 6))
    return family.predict(batch, noise, torch.tensor([10, 700]))[0]


def test_it_is_the_base_with_composed_kernels(tiny_sd: Path, family: StableDiffusion1) -> None:
    network = registry.attach(family, OPTIONS, 42, ("denoiser",))
    stir(network)
    tensors = network.file_tensors()
    changed = load(tiny_sd)
    base = predict(changed)
    ranks: set[tuple[int, float, int]] = set()
    with torch.no_grad():
        for name, module in changed.denoiser.named_modules():
            stem = f"lora_unet_{name.replace('.', '_')}"
            if f"{stem}.lora_down.weight" not in tensors:
                continue
            down, up = (tensors[f"{stem}.lora_{end}.weight"] for end in ("down", "up"))
            alpha = float(tensors[f"{stem}.alpha"])
            weight: Any = module.weight
            ranks.add((len(down), alpha, weight.shape[-1] if weight.dim() == 4 else 0))
            for row in range(len(weight)):
                parts = [up[row, rank].reshape(()) * down[rank] for rank in range(len(down))]
                weight[row] += alpha / len(down) * torch.stack(parts).sum(0).view(weight[row].shape)
    assert ranks == {(4, 3.0, 0), (4, 3.0, 1), (2, 5.0, 3)}
    assert not torch.allclose(predict(family), base, atol=1e-2)
    torch.testing.assert_close(predict(family), predict(changed), atol=2e-4, rtol=1e-3)


def test_diffusers_reads_the_file(tiny_sd: Path, family: StableDiffusion1, tmp_path: Path) -> None:
    network = registry.attach(family, OPTIONS, 42, BOTH)
    stir(network)
    kohya.save(tmp_path / "locon.safetensors", network, "fp32", {})
    pipeline: Any = StableDiffusionPipeline.from_pretrained(tiny_sd, use_safetensors=True)
    pipeline.load_lora_weights(tmp_path, weight_name="locon.safetensors")
    theirs = load(tiny_sd)
    theirs._loaded = {
        "unet": pipeline.unet,
        "text_encoder": pipeline.text_encoder,
        "tokenizer": theirs.tokenizer,
    }
    torch.testing.assert_close(predict(theirs), predict(family), atol=2e-4, rtol=1e-3)


def test_a_run_writes_it_as_predicted(tiny_sd: Path, tmp_path: Path) -> None:
    pictures = draw_pictures(tmp_path / "pictures")
    config = sd_config(
        tiny_sd,
        pictures,
        tmp_path,
        network={"rank": 4, "conv_rank": 3},
        training={"epochs": 1, "gradient_checkpointing": True},
        samples={"prompts": []},
    )
    data = files(start(config))["toy.safetensors"]
    from lora_wizard.core.estimates import sizes

    base = inspect_base(config, SPEC)
    plain = config.model_copy(update={"network": NetworkOptions(rank=4)})
    assert sizes.file_bytes(config, SPEC, base) == pytest.approx(len(data), rel=0.1)
    assert sizes.file_bytes(plain, SPEC, base) < 0.8 * len(data)
    path = tmp_path / "file.safetensors"
    path.write_bytes(data)
    tensors, metadata = kohya.read(path)
    assert sizes.lora_layers(config, SPEC, base) == sum(".alpha" in name for name in tensors)
    numbers = sum(tensor.numel() for name, tensor in tensors.items() if ".alpha" not in name)
    assert sizes.lora_values(config, SPEC, base) == numbers
    assert metadata["ss_network_args"] == '{"conv_dim": "3", "conv_alpha": "1.5"}'
    down = tensors["lora_unet_mid_block_resnets_0_conv1.lora_down.weight"]
    up = tensors["lora_unet_mid_block_resnets_0_conv1.lora_up.weight"]
    assert (tuple(down.shape), tuple(up.shape)) == ((3, 16, 3, 3), (16, 3, 1, 1))
    assert up.any()
