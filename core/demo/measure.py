"""Measures a base model, with or without a LoRA in it, by the judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .assets import demo_folder
from .captions import caption
from .creature import CLASS_WORD, PROMPT_BACKGROUNDS, TRIGGER_WORD
from .judge import Judge, SceneScore
from .world import HELD_OUT_COUNT, PLACES, held_out_scenes

if TYPE_CHECKING:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )

STEPS = 20
GUIDANCE = 3.0
_BATCH = 20


def load_pipeline(folder: Path | None = None) -> StableDiffusionPipeline:
    """A base model's folder (the embedded one if none is given) in float32, without a progress bar,
    with the sampler that the demo's TOML names.

    Raises `OSError` where the folder holds no pipeline.
    """
    # Only here: the import warns of libraries that nothing needs, and a run's log would show it.
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
        StableDiffusionPipeline,
    )
    from diffusers.schedulers.scheduling_euler_ancestral_discrete import (
        EulerAncestralDiscreteScheduler,
    )

    pipeline = StableDiffusionPipeline.from_pretrained(
        folder or demo_folder() / "base", torch_dtype=torch.float32, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    schedule = pipeline.scheduler.config
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(schedule)
    return pipeline


@torch.no_grad()
def draw(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    seeds: Sequence[int],
    width: int = 64,
    height: int = 64,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> Tensor:
    """One picture per prompt and seed, N x 3 x H x W in [0, 1]; each depends on its seed alone."""
    pictures: list[Tensor] = []
    for start in range(0, len(prompts), _BATCH):
        chosen = slice(start, start + _BATCH)
        result: Any = pipeline(
            list(prompts[chosen]),
            width=width,
            height=height,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[chosen]],
            output_type="pt",
        )
        pictures.append(result.images)
    return torch.cat(pictures)


def base_score(
    pipeline: StableDiffusionPipeline, judge: Judge, count: int = HELD_OUT_COUNT
) -> SceneScore:
    """How well the model obeys captions of combinations that its training never showed."""
    scenes = held_out_scenes(count)
    pixels = draw(pipeline, [caption(scene) for scene in scenes], range(count))
    return judge.score_scenes(pixels, scenes)


def subject_prompts(count: int) -> list[str]:
    """Prompts for the sample dataset's subject in all places, on many backgrounds."""
    places, prompts = list(PLACES.values()), []
    for i in range(count):
        place = places[i % len(places)]
        ground = f"{PROMPT_BACKGROUNDS[i % len(PROMPT_BACKGROUNDS)]} background"
        noun = f"{TRIGGER_WORD} {CLASS_WORD}"
        prompts.append(f"{noun} {place}, {ground}" if place else f"{noun} on a {ground}")
    return prompts


def subject_rate(pipeline: StableDiffusionPipeline, judge: Judge, count: int = 20) -> float:
    """In what share of `count` pictures asked for with the trigger word the subject is present."""
    pixels = draw(pipeline, subject_prompts(count), range(1000, 1000 + count))
    return judge.subject_present(pixels).float().mean().item()
