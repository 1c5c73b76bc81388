"""Trains the judge on drawings: `python -m lora_wizard.core.demo.build_judge`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from .build_base import Report
from .creature import impostor, subject_scene
from .drawing import render
from .judge import CLASSES, OTHER, Classifier, Judge, to_square
from .pixels import to_pixels
from .world import (
    RESOLUTIONS,
    SHAPES,
    Scene,
    any_shade,
    compose,
    creature_thing,
    plain_thing,
    training_scene,
)

Sample = tuple[Scene, float]
Sampler = Callable[[Random, tuple[int, int]], Sample]

_WORN_TOGETHER = 8


def shape_sample(random: Random, resolution: tuple[int, int]) -> Sample:
    """A scene and its class; any colours, held-out ones too: only the shape is learned."""
    if random.random() < 0.15:
        scene = training_scene(random, resolution)
        plain = scene.thing.kind in SHAPES
        return scene, CLASSES.index(scene.thing.kind if plain else OTHER)
    ground = any_shade(random)
    thing = plain_thing(random, any_shade(random, [ground]).family, random.choice(SHAPES))
    return compose(random, thing, ground, resolution=resolution), CLASSES.index(thing.kind)


def subject_sample(random: Random, resolution: tuple[int, int]) -> Sample:
    """A scene with the subject (1) or without it (0), half of those close to it."""
    roll = random.random()
    if roll < 0.45:
        return subject_scene(random, resolution=resolution), 1.0
    if roll < 0.7:
        return impostor(random).resized(*resolution), 0.0
    if roll < 0.85:
        ground = any_shade(random)
        thing = creature_thing(random, ground)
        return compose(random, thing, ground, resolution=resolution), 0.0
    return training_scene(random, resolution), 0.0


def _worn(pixels: Tensor, random: Random, vae: AutoencoderKL, noise: torch.Generator) -> Tensor:
    """Pictures, N x 3 x H x W, as a generating model would have spoilt them."""
    roll = random.random()
    if roll < 0.3:
        latents = vae.encode(pixels * 2 - 1, return_dict=False)[0].mean
        strength = random.uniform(0, 0.35) / vae.config["scaling_factor"]
        latents = latents + torch.randn(latents.shape, generator=noise) * strength
        pixels = vae.decode(latents, return_dict=False)[0] / 2 + 0.5  # pyright: ignore[reportArgumentType]
    elif roll < 0.5:
        height, width = pixels.shape[-2:]
        share = random.uniform(0.45, 0.9)
        small = (round(height * share), round(width * share))
        pixels = functional.interpolate(pixels, small, mode="bilinear", antialias=True)
        pixels = functional.interpolate(pixels, (height, width), mode="bilinear")
    if random.random() < 0.5:
        spread = random.uniform(0, 0.06)
        pixels = pixels + torch.randn(pixels.shape, generator=noise) * spread
    return to_square(pixels).clamp(0, 1)


@torch.no_grad()
def make_set(sample: Sampler, count: int, seed: str, vae: AutoencoderKL) -> tuple[Tensor, Tensor]:
    """About `count` worn pictures, N x 3 x 64 x 64, with their labels."""
    random, noise = Random(seed), torch.Generator().manual_seed(Random(seed).getrandbits(32))
    pictures: list[Tensor] = []
    labels: list[float] = []
    while len(labels) < count:
        resolution = RESOLUTIONS[0] if random.random() < 0.75 else random.choice(RESOLUTIONS)
        chosen = [sample(random, resolution) for _ in range(_WORN_TOGETHER)]
        drawn = to_pixels(render(scene) for scene, _ in chosen)
        pictures.append(_worn(drawn, random, vae, noise))
        labels += [label for _, label in chosen]
    return torch.cat(pictures), torch.tensor(labels)


def train(
    sample: Sampler,
    classes: int,
    vae: AutoencoderKL,
    seed: str,
    steps: int,
    report: Report,
) -> Classifier:
    """One classifier with `classes` outputs (1: yes or no), trained from scratch."""
    torch.manual_seed(Random(seed).getrandbits(32))
    pixels, labels = make_set(sample, 6000, f"train {seed}", vae)
    report(f"{seed}: drawn")
    test_pixels, test_labels = make_set(sample, 1000, f"test {seed}", vae)
    network = Classifier(classes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        if classes == 1:
            return functional.binary_cross_entropy_with_logits(network(x).squeeze(1), y)
        return functional.cross_entropy(network(x), y.long())

    def right() -> float:
        with torch.no_grad():
            seen = network.eval()(test_pixels)
        network.train()
        answer = (seen.squeeze(1) > 0).float() if classes == 1 else seen.argmax(dim=1)
        return (answer == test_labels).float().mean().item()

    for step in range(steps):
        chosen = torch.randint(len(pixels), (64,))
        error = loss(pixels[chosen], labels[chosen])
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0:
            report(f"{seed}: {step + 1}/{steps} loss {error.item():.4f} right {right():.3f}")
    return network


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="the base's autoencoder folder")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--steps", type=int, default=800)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    vae = AutoencoderKL.from_pretrained(asked.vae).float().eval()
    report = Report()
    shapes = train(shape_sample, len(CLASSES), vae, "shapes", asked.steps, report)
    subject = train(subject_sample, 1, vae, "subject", asked.steps, report)
    Judge(shapes, subject).save(asked.out)


if __name__ == "__main__":
    main()
