"""The arithmetic of Stable Diffusion 1.x, against calculations of the tests' own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lora_wizard.core.config import LossOptions
from lora_wizard.core.errors import WizardError
from lora_wizard.core.families.base import Batch
from lora_wizard.core.families.sd1_model import StableDiffusion1
from tiny_sd import build, load

EVERY_HUNDREDTH = torch.arange(0, 1000, 100)


@pytest.fixture(scope="module")
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


@pytest.fixture(scope="module")
def v_family(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusion1:
    folder = tmp_path_factory.mktemp("v") / "base"
    return load(build(folder, prediction_type="v_prediction"))


def kept(timestep: int) -> float:
    """abar of Stable Diffusion's schedule: betas linear in their square root, 1,000 steps."""
    low, high = math.sqrt(0.00085), math.sqrt(0.012)
    return math.prod(1 - (low + (high - low) * i / 999) ** 2 for i in range(timestep + 1))


def batch_of(family: StableDiffusion1, count: int, seed: int = 0) -> tuple[Batch, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    latents = torch.randn(count, 4, 8, 12, generator=generator)
    noise = torch.randn(latents.shape, generator=generator)
    conditioning = family.encode_prompts([f"picture {index}" for index in range(count)])
    return Batch(latents, conditioning, torch.zeros(count, 6)), noise


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_the_vae_decides_how_large_latents_are(tmp_path: Path, factor: int) -> None:
    family = load(build(tmp_path / "base", vae_factor=factor))
    encoded = family.encode_images(torch.zeros(1, 3, 32, 48))
    assert family.latent_shape(48, 32) == (4, 32 // factor, 48 // factor)
    assert encoded.shape[2:] == (32 // factor, 48 // factor)


def test_latents_are_drawn_from_the_vaes_distribution(family: StableDiffusion1) -> None:
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    encoded = family.encode_images(pixels)
    with torch.no_grad():
        vae: Any = family.vae
        moments = vae.quant_conv(vae.encoder(pixels))
    mean, log_variance = moments.chunk(2, dim=1)
    noise = torch.randn(mean.shape)
    expected = (mean + torch.exp(log_variance / 2) * noise) * vae.config["scaling_factor"]
    torch.testing.assert_close(family.draw_latents(encoded, noise), expected)
    assert encoded.dtype == torch.float32
    assert not encoded.requires_grad


def test_the_vae_is_exact_whatever_the_precision(tiny_sd: Path, family: StableDiffusion1) -> None:
    pixels = torch.rand(1, 3, 32, 32)
    rough = load(tiny_sd, precision="bf16")
    assert torch.equal(rough.encode_images(pixels), family.encode_images(pixels))
    assert rough.denoiser.dtype == torch.bfloat16


@pytest.mark.parametrize("clip_skip", [1, 2, 3])
def test_clip_skip_reads_a_layer_from_the_end(tiny_sd: Path, clip_skip: int) -> None:
    family = load(tiny_sd, clip_skip=clip_skip)
    encoder: Any = family.text_encoder
    outputs: list[torch.Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda *call: outputs.append(call[-1]))
        for layer in encoder.encoder.layers
    ]
    read = family.encode_prompts(["a small red star", ""])["text"]
    for hook in hooks:
        hook.remove()
    assert read.shape == (2, 77, 16)
    torch.testing.assert_close(read, encoder.final_layer_norm(outputs[-clip_skip]))


def test_clip_skip_beyond_the_encoder_is_refused(tiny_sd: Path) -> None:
    with pytest.raises(WizardError, match="clip_skip"):
        load(tiny_sd, clip_skip=4)


def test_words_become_the_same_tensors_beside_others(family: StableDiffusion1) -> None:
    together = family.encode_prompts(["mika", "a much longer caption, with tags"])["text"]
    torch.testing.assert_close(together[:1], family.encode_prompts(["mika"])["text"])
    assert not torch.equal(together[0], together[1])


def test_a_caption_of_any_length_and_letters_fits(family: StableDiffusion1) -> None:
    texts = ["", "word " * 500, "Größe 猫 🦊", "\x00\x1b[31m"]
    encoded = family.encode_prompts(texts)["text"]
    assert encoded.shape == (4, 77, 16)
    assert encoded.isfinite().all()


@given(st.floats(0, 1, exclude_max=True))
def test_timesteps_are_spread_evenly(family: StableDiffusion1, number: float) -> None:
    timestep = int(family.draw_timesteps(torch.tensor([number], dtype=torch.float64)))
    assert timestep == int(number * 1000)


def test_the_largest_float_below_one_is_still_a_timestep(family: StableDiffusion1) -> None:
    almost = torch.nextafter(torch.ones(1), torch.zeros(1))
    assert family.draw_timesteps(almost).tolist() == [999]
    assert family.draw_timesteps(torch.zeros(1)).tolist() == [0]


def test_the_unet_sees_the_noised_latents(family: StableDiffusion1) -> None:
    batch, noise = batch_of(family, 2)
    timesteps = torch.tensor([10, 900])
    prediction, target = family.predict(batch, noise, timesteps)
    assert torch.equal(target, noise)
    for index, timestep in enumerate(timesteps.tolist()):
        share = kept(timestep)
        noised = math.sqrt(share) * batch.latents + math.sqrt(1 - share) * noise
        unet: Any = family.denoiser
        expected = unet(noised, timesteps, batch.conditioning["text"]).sample
        torch.testing.assert_close(prediction[index], expected[index], atol=1e-4, rtol=1e-4)


def test_a_v_base_is_trained_on_velocity(v_family: StableDiffusion1) -> None:
    batch, noise = batch_of(v_family, 1)
    _, target = v_family.predict(batch, noise, torch.tensor([300]))
    share = kept(300)
    expected = math.sqrt(share) * noise - math.sqrt(1 - share) * batch.latents
    torch.testing.assert_close(target, expected, atol=1e-5, rtol=1e-5)
    assert v_family.spec.prediction == "v"


@pytest.mark.parametrize("gamma", [1.0, 5.0, 20.0])
def test_min_snr_weights(
    family: StableDiffusion1, v_family: StableDiffusion1, gamma: float
) -> None:
    options = LossOptions(min_snr_gamma=gamma)
    ratios = [kept(step) / (1 - kept(step)) for step in EVERY_HUNDREDTH.tolist()]
    epsilon = torch.tensor([min(ratio, gamma) / ratio for ratio in ratios])
    velocity = torch.tensor([min(ratio, gamma) / (ratio + 1) for ratio in ratios])
    torch.testing.assert_close(
        family.loss_weight(EVERY_HUNDREDTH, options), epsilon, rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(
        v_family.loss_weight(EVERY_HUNDREDTH, options), velocity, rtol=1e-4, atol=1e-6
    )


def test_without_gamma_all_timesteps_count_alike(family: StableDiffusion1) -> None:
    assert family.loss_weight(EVERY_HUNDREDTH, LossOptions()).tolist() == [1.0] * 10


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_lower_precision_predicts_about_the_same(
    tiny_sd: Path, family: StableDiffusion1, precision: str
) -> None:
    batch, noise = batch_of(family, 1)
    exact, _ = family.predict(batch, noise, torch.tensor([500]))
    rough, _ = load(tiny_sd, precision=precision).predict(batch, noise, torch.tensor([500]))
    assert rough.dtype == torch.float32
    difference = (rough - exact).abs().max()
    assert 0 < difference < 0.1


def test_the_base_is_frozen_and_can_be_dropped(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    modules = [family.denoiser, family.text_encoder, family.vae]
    assert not any(p.requires_grad for module in modules for p in module.parameters())
    text = family.encode_prompts(["mika"])["text"]
    family.release("vae", "text_encoder")
    assert family.vae is not modules[2]
    assert torch.equal(family.encode_prompts(["mika"])["text"], text)


def test_what_is_not_trained_is_not_loaded_for_its_layers_names(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    targets = family.lora_targets()
    assert set(family._loaded) == {"unet"}
    assert family.text_encoder is not None
    assert family.lora_targets() == targets
