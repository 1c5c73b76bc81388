"""Pictures drawn: as diffusers draws them, the same again, and without a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from diffusers import StableDiffusionPipeline
from lora_wizard.core.families.base import SamplePrompt
from lora_wizard.core.families.sd1_model import StableDiffusion1
from lora_wizard.core.sampling import samplers
from PIL.Image import Image
from tiny_sd import build, load

PROMPT = SamplePrompt("a star", "blurry", 32, 40, 5, 7.5, 42, "euler_a")


@pytest.fixture(scope="module")
def family(tiny_sd: Path) -> StableDiffusion1:
    return load(tiny_sd)


@pytest.fixture(scope="module")
def pipeline(tiny_sd: Path) -> Any:
    made: Any = StableDiffusionPipeline.from_pretrained(tiny_sd, use_safetensors=True)
    made.set_progress_bar_config(disable=True)
    return made


def difference(one: Image, other: Image) -> int:
    return int(numpy.abs(numpy.asarray(one, "int16") - numpy.asarray(other, "int16")).max())


@pytest.mark.parametrize("guidance", [0.0, 1.0, 7.5])
@pytest.mark.parametrize("sampler", list(samplers.SAMPLERS))
def test_it_draws_what_diffusers_draws(
    family: StableDiffusion1, pipeline: Any, tiny_sd: Path, sampler: str, guidance: float
) -> None:
    original = family.base.config("scheduler", "scheduler_config.json")
    pipeline.scheduler = samplers.build(sampler, original)
    theirs = pipeline(
        PROMPT.prompt,
        negative_prompt=PROMPT.negative_prompt,
        width=PROMPT.width,
        height=PROMPT.height,
        num_inference_steps=PROMPT.steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(PROMPT.seed),
    ).images[0]
    ours = family.sample([replace(PROMPT, sampler=sampler, guidance=guidance)])[0]
    assert ours.size == (32, 40)
    assert difference(ours, theirs) <= 1


def test_a_v_base_draws_what_diffusers_draws(tmp_path: Path) -> None:
    folder = build(tmp_path / "base", prediction_type="v_prediction")
    pipeline: Any = StableDiffusionPipeline.from_pretrained(folder, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = samplers.build("ddim", pipeline.scheduler.config)
    theirs = pipeline(
        "a star",
        width=32,
        height=40,
        num_inference_steps=5,
        guidance_scale=7.5,
        generator=torch.Generator("cpu").manual_seed(42),
    ).images[0]
    ours = load(folder).sample([replace(PROMPT, negative_prompt="", sampler="ddim")])[0]
    assert difference(ours, theirs) <= 1


@pytest.mark.parametrize("sampler", ["euler_a", "dpm_2_a", "ddim"])
def test_a_picture_is_the_same_beside_others(family: StableDiffusion1, sampler: str) -> None:
    prompt = replace(PROMPT, sampler=sampler)
    others = [replace(prompt, seed=seed, prompt=f"thing {seed}") for seed in range(6)]
    wide = replace(prompt, width=48)
    pictures = family.sample([others[0], wide, *others[1:3], prompt, *others[3:]])
    alone = [family.sample([one])[0] for one in (prompt, wide)]
    assert difference(pictures[4], alone[0]) <= 1
    assert difference(pictures[1], alone[1]) <= 1
    assert pictures[1].size == (48, 40)
    assert difference(pictures[0], pictures[2]) > 10


def test_the_same_seed_gives_the_same_picture_and_another_another(
    family: StableDiffusion1,
) -> None:
    torch.manual_seed(1)
    first = family.sample([PROMPT])[0]
    torch.manual_seed(2)
    assert family.sample([PROMPT])[0].tobytes() == first.tobytes()
    assert difference(family.sample([replace(PROMPT, seed=43)])[0], first) > 10


def test_drawing_does_not_move_the_global_generator(family: StableDiffusion1) -> None:
    before = torch.random.get_rng_state()
    family.sample([PROMPT])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_leaves_everything_as_it_found_it(tiny_sd: Path) -> None:
    family = load(tiny_sd)
    family.denoiser.train()
    family.denoiser.mid_block.eval()
    weight = family.denoiser.conv_in.weight.requires_grad_(True)
    kept = {module: module.training for module in family.denoiser.modules()}
    picture = family.sample([PROMPT])[0]
    assert {module: module.training for module in family.denoiser.modules()} == kept
    assert weight.requires_grad
    assert weight.grad is None
    assert torch.is_grad_enabled()
    # The VAE and the text encoder were not there before, and shall not stay.
    assert set(family._loaded) == {"unet", "tokenizer"}
    assert family.sample([PROMPT])[0].tobytes() == picture.tobytes()


def test_modes_come_back_after_an_error(tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = load(tiny_sd)
    family.denoiser.train()

    def run_out(*_: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("no memory left")

    monkeypatch.setattr(family, "denoise", run_out)
    with pytest.raises(torch.OutOfMemoryError):
        family.sample([PROMPT])
    assert family.denoiser.training
    assert set(family._loaded) == {"unet", "tokenizer"}


def test_a_side_that_the_vae_cannot_draw_is_cut_down(family: StableDiffusion1) -> None:
    (picture,) = family.sample([replace(PROMPT, width=37, height=43)])
    assert picture.size == (36, 40)


def test_no_prompts_no_pictures(family: StableDiffusion1) -> None:
    assert family.sample([]) == []
