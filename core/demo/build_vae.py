"""Trains the embedded autoencoder on drawings of every colour, not only the named ones."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .drawing import Brush, draw_thing, render
from .model import LATENT_FACTOR, make_vae
from .parallel import Workers
from .pixels import to_pixels
from .world import RESOLUTIONS, Shade, compose, pose, random_thing, training_scene

_KL_WEIGHT = 1e-3
_SHARE = 4


def _any_colour(random: Random) -> Shade:
    red, green, blue = (random.randrange(256) for _ in range(3))
    return Shade("red", "", (red, green, blue))


def collage(random: Random, resolution: tuple[int, int]) -> Image.Image:
    """Things of any colour on and over each other, so that no colour is new to the autoencoder."""
    width, height = resolution
    canvas = Image.new("RGB", (width * 3, height * 3), _any_colour(random).rgb)
    for _ in range(random.randint(1, 4)):
        ground = _any_colour(random)
        thing = random_thing(random, ground)
        if random.random() < 0.7:
            thing = replace(thing, shade=_any_colour(random))
        place = compose(random, thing, ground, resolution=resolution)
        where = pose(random, place.size, place.place, width, height)
        brush = Brush(canvas, replace(where, x=random.random(), y=random.random()))
        draw_thing(brush, thing)
    return canvas.reduce(3)


def _picture(random: Random, resolution: tuple[int, int]) -> Image.Image:
    if random.random() < 0.4:
        return collage(random, resolution)
    return render(training_scene(random, resolution))


def _loss(vae: AutoencoderKL, pixels: Tensor, noise: Tensor, edges: bool) -> Tensor:
    posterior = vae.encode(pixels, return_dict=False)[0]
    latents: Any = posterior.mean + posterior.std * noise
    rebuilt = vae.decode(latents, return_dict=False)[0]
    error = functional.l1_loss(rebuilt, pixels) + functional.mse_loss(rebuilt, pixels)
    for axis in (-1, -2) if edges else ():
        error = error + functional.l1_loss(rebuilt.diff(dim=axis), pixels.diff(dim=axis))
    divergence = posterior.kl().mean() / posterior.mean[0].numel()
    return error + _KL_WEIGHT * divergence


def train_vae(
    steps: int, batch: int, seed: int, workers: Workers, report: Callable[[str], None]
) -> AutoencoderKL:
    """Train from scratch; the result's config carries the measured `scaling_factor`."""
    torch.manual_seed(seed)
    random, generator = Random(f"vae {seed}"), torch.Generator().manual_seed(seed)
    vae = make_vae()
    weights = list(vae.parameters())
    optimizer = torch.optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps, pct_start=0.1)
    recent = 0.0
    for step in range(steps):
        resolution = RESOLUTIONS[0] if random.random() < 0.7 else random.choice(RESOLUTIONS)
        # Edges are few pixels but all that tells a heart from a circle; flat colours come first.
        edges = step > 0.2 * steps
        losses: list[Callable[[], Tensor]] = []
        for _ in range(batch // _SHARE):
            pixels = to_pixels([_picture(random, resolution) for _ in range(_SHARE)]) * 2 - 1
            shape = (_SHARE, 4, resolution[1] // LATENT_FACTOR, resolution[0] // LATENT_FACTOR)
            noise = torch.randn(shape, generator=generator)
            losses.append(partial(_loss, vae, pixels, noise, edges))
        loss = workers.backward(weights, losses)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        recent += (loss - recent) * (0.05 if step else 1)
        if (step + 1) % 100 == 0:
            report(f"vae {step + 1}/{steps} loss {recent:.4f}")
    scale = measured_scale(vae.eval(), Random(f"scale {seed}"))
    vae.register_to_config(scaling_factor=scale)
    report(f"vae scaling factor {scale:.4f}")
    return vae


@torch.no_grad()
def measured_scale(vae: AutoencoderKL, random: Random) -> float:
    """What latents are multiplied with to have a standard deviation of 1."""
    scenes = [training_scene(random) for _ in range(256)]
    latents = vae.encode(to_pixels(map(render, scenes)) * 2 - 1, return_dict=False)[0].mean
    return round(1 / latents.std().item(), 5)
