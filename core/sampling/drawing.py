"""From prompts to pictures, with whatever is attached to the base model at the moment."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from PIL import Image

from ..families.base import SamplePrompt
from . import samplers

_PIXELS_AT_ONCE = 4 * 512 * 512
"""A batch larger than four pictures of 512 px gains little speed and costs memory that training
has not left."""


class Drawable(Protocol):
    """What a family of U-Net and diffusers scheduler offers to be drawn with."""

    device: torch.device

    @property
    def denoiser(self) -> torch.nn.Module: ...
    @property
    def text_encoders(self) -> Mapping[str, torch.nn.Module]: ...
    @property
    def vae_factor(self) -> int: ...
    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]: ...
    def prompt_chunks(self, prompt: str) -> int:
        """How many of the text encoder's lengths take all of ``prompt``."""
        ...

    def encode_sample_prompts(self, prompts: Sequence[str], chunks: int) -> torch.Tensor:
        """What `denoise` is told, (B, tokens, width), with emphasis."""
        ...

    def denoise(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor: ...
    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor: ...


def draw(
    family: Drawable,
    prompts: Sequence[SamplePrompt],
    scheduler_config: Mapping[str, Any],
    at_once: int | None = None,
) -> list[Image.Image]:
    """The pictures of ``prompts``, in their order; ``at_once`` go through the denoiser together, or
    as many as training leaves memory for.

    Each prompt's noise comes from a generator of its own on the CPU, seeded by the prompt's seed:
    the same with other neighbours and on every device. Sides are cut down to what the VAE can
    draw. No gradients, evaluation mode; modes are as before afterwards.
    """
    pictures: dict[int, Image.Image] = {}
    with torch.no_grad(), evaluating(family.denoiser, *family.text_encoders.values()):
        for group in _groups(family, prompts, at_once):
            latents = _denoised(family, [prompts[index] for index in group], scheduler_config)
            for index, latent in zip(group, latents, strict=True):
                pictures[index] = to_image(family.decode_latents(latent[None])[0])
    return [pictures[index] for index in range(len(prompts))]


def to_image(pixels: torch.Tensor) -> Image.Image:
    """(3, H, W) in [-1, 1] -> a picture."""
    levels = ((pixels.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    height, width = levels.shape[1:]
    return Image.frombytes(
        "RGB", (width, height), bytes(levels.permute(1, 2, 0).contiguous().cpu().numpy())
    )


@contextlib.contextmanager
def evaluating(*modules: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode inside; afterwards every submodule's own mode as before."""
    modes = [(module, module.training) for root in modules for module in root.modules()]
    try:
        for root in modules:
            root.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _groups(
    family: Drawable, prompts: Sequence[SamplePrompt], at_once: int | None
) -> Iterator[list[int]]:
    """Indices of prompts that go through the same steps together."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        method = (prompt.width, prompt.height, prompt.steps, prompt.guidance, prompt.sampler)
        # A prompt is not told more of nothing because its neighbour is long.
        method = (*method, _chunks(family, prompt))
        alike.setdefault(method, []).append(index)
    for (width, height, *_), members in alike.items():
        size = at_once or max(1, _PIXELS_AT_ONCE // (width * height))
        for start in range(0, len(members), size):
            yield members[start : start + size]


def _is_guided(prompt: SamplePrompt) -> bool:
    # Below and at 1 there is nothing to guide away from, as in every other tool.
    return prompt.guidance > 1


def _chunks(family: Drawable, prompt: SamplePrompt) -> int:
    """Prompts are drawn whole, and guidance wants both as long."""
    told = [prompt.prompt, prompt.negative_prompt] if _is_guided(prompt) else [prompt.prompt]
    return max(map(family.prompt_chunks, told))


def _denoised(
    family: Drawable, prompts: Sequence[SamplePrompt], scheduler_config: Mapping[str, Any]
) -> torch.Tensor:
    first = prompts[0]
    guided = _is_guided(first)
    captions = [prompt.prompt for prompt in prompts]
    negatives = [prompt.negative_prompt for prompt in prompts] if guided else []
    text = family.encode_sample_prompts([*negatives, *captions], _chunks(family, first))
    scheduler = samplers.build(first.sampler, scheduler_config)
    scheduler.set_timesteps(first.steps, device=family.device)
    generators = [torch.Generator("cpu").manual_seed(prompt.seed) for prompt in prompts]
    shape = family.latent_shape(first.width, first.height)
    latents = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
    latents = latents.to(family.device) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        both = torch.cat([latents, latents]) if guided else latents
        both = scheduler.scale_model_input(both, timestep)
        prediction = family.denoise(both, timestep.expand(len(both)), text)
        if guided:
            without, conditioned = prediction.chunk(2)
            prediction = without + first.guidance * (conditioned - without)
        latents = _step(scheduler, prediction, timestep, latents, generators)
    return latents


def _step(
    scheduler: Any,
    prediction: torch.Tensor,
    timestep: torch.Tensor,
    latents: torch.Tensor,
    generators: list[torch.Generator],
) -> torch.Tensor:
    takes_noise = "generator" in inspect.signature(scheduler.step).parameters
    options = {"generator": generators} if takes_noise else {}
    return scheduler.step(prediction, timestep, latents, return_dict=False, **options)[0]
