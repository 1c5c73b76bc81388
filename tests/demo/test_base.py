"""The embedded base model: it loads offline as a pipeline, is small, and obeys its captions."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from lora_wizard.core.demo.assets import demo_folder
from lora_wizard.core.demo.captions import WORDS
from lora_wizard.core.demo.judge import Judge
from lora_wizard.core.demo.measure import base_score, draw, load_pipeline, subject_rate
from lora_wizard.core.demo.tokenizer import write_tokenizer

BASE = demo_folder() / "base"


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    return load_pipeline(BASE)


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in BASE.rglob("*") if file.is_file()) <= 12e6


def test_no_weight_is_missing_or_left_over() -> None:
    pipeline = load_pipeline(BASE)
    for name in ("vae", "unet", "text_encoder"):
        module = getattr(pipeline, name)
        _, info = type(module).from_pretrained(BASE / name, output_loading_info=True)
        problems = {k: v for k, v in info.items() if k.endswith("_keys") and v}
        assert not problems, name


def test_the_tokenizer_is_the_one_the_script_makes(tmp_path: Path) -> None:
    write_tokenizer(tmp_path, WORDS)
    for name in ("vocab.json", "merges.txt"):
        assert (BASE / "tokenizer" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_text_encoder_and_tokenizer_agree(pipeline: StableDiffusionPipeline) -> None:
    config = pipeline.text_encoder.config
    assert config.vocab_size == len(pipeline.tokenizer)
    assert config.eos_token_id == pipeline.tokenizer.eos_token_id
    assert config.max_position_embeddings == pipeline.tokenizer.model_max_length == 77


def test_scaling_factor_gives_latents_unit_spread(pipeline: StableDiffusionPipeline) -> None:
    from random import Random

    from lora_wizard.core.demo.build_unet import encode
    from lora_wizard.core.demo.world import training_scene

    random = Random("unit spread")
    latents = encode(pipeline.vae, [training_scene(random) for _ in range(64)])
    assert 0.9 < latents.std().item() < 1.1
    settings = json.loads((BASE / "vae" / "config.json").read_text())
    assert settings["scaling_factor"] == pipeline.vae.config["scaling_factor"] != 0.18215


def test_a_seed_is_a_picture(pipeline: StableDiffusionPipeline) -> None:
    def pictures(seeds: list[int]) -> torch.Tensor:
        return draw(pipeline, ["a red star on a blue background"] * len(seeds), seeds, steps=4)

    together, alone = pictures([1, 2]), pictures([2])
    assert torch.allclose(together[1], alone[0], atol=1e-3)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_samplers_made_from_its_schedule_do_not_clip_latents(
    pipeline: StableDiffusionPipeline,
) -> None:
    scheduler: Any = DDIMScheduler.from_config(pipeline.scheduler.config)
    assert scheduler.config["clip_sample"] is False
    assert scheduler.config["prediction_type"] == "epsilon"
    assert scheduler.config["steps_offset"] == 1


def test_it_obeys_captions(pipeline: StableDiffusionPipeline) -> None:
    score = base_score(pipeline, Judge.load(), count=20)
    assert score.colour >= 0.85
    assert score.background >= 0.85
    assert score.shape >= 0.7


def test_it_does_not_know_the_subject(pipeline: StableDiffusionPipeline) -> None:
    assert subject_rate(pipeline, Judge.load(), count=10) <= 0.1


@pytest.mark.slow
def test_it_obeys_captions_of_all_held_out_combinations(pipeline: StableDiffusionPipeline) -> None:
    score = base_score(pipeline, Judge.load())
    assert score.colour >= 0.95
    assert score.background >= 0.95
    assert score.shape >= 0.85
