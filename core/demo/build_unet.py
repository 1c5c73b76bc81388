"""Trains the embedded text encoder and U-Net together on scenes of the miniature world."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from .captions import training_caption
from .drawing import render
from .model import Parts, tokenize
from .parallel import Workers
from .pixels import to_pixels
from .world import Scene, training_scene

_DROPOUT = 0.1
_EMA = 0.998
_ENCODE_BATCH = 32
_SQUARE_SHARE = 0.6


@dataclass
class Pool:
    """Scenes of one resolution with their latents, N x 4 x h x w, already scaled."""

    scenes: list[Scene]
    latents: Tensor


@torch.no_grad()
def encode(vae: AutoencoderKL, scenes: list[Scene]) -> Tensor:
    """Latents of the scenes as the U-Net sees them."""
    chunks: list[Tensor] = []
    for start in range(0, len(scenes), _ENCODE_BATCH):
        pixels = to_pixels(map(render, scenes[start : start + _ENCODE_BATCH]))
        chunks.append(vae.encode(pixels * 2 - 1, return_dict=False)[0].mean)
    return torch.cat(chunks) * vae.config["scaling_factor"]


def make_pools(
    vae: AutoencoderKL,
    count: int,
    resolutions: Sequence[tuple[int, int]],
    random: Random,
    report: Callable[[str], None],
) -> list[Pool]:
    """About `count` scenes, most of the first resolution, encoded once for the whole training."""
    pools: list[Pool] = []
    for rank, resolution in enumerate(resolutions):
        share = _SQUARE_SHARE if rank == 0 else (1 - _SQUARE_SHARE) / (len(resolutions) - 1)
        scenes = [training_scene(random, resolution) for _ in range(round(count * share))]
        pools.append(Pool(scenes, encode(vae, scenes)))
        report(f"encoded {len(scenes)} scenes of {resolution[0]}x{resolution[1]}")
    return pools


@dataclass
class Stage:
    """A part of the training: so many steps of `batch` pictures from the pools.

    `tokens` is the padded length of captions, `shares` in how many pieces the workers get a batch.
    """

    pools: list[Pool]
    steps: int
    batch: int
    tokens: int
    shares: int


def draw_batch(stage: Stage, random: Random) -> tuple[list[Scene], Tensor]:
    """Scenes and latents of one resolution; pools are chosen by their size."""
    pool = random.choices(stage.pools, [len(pool.scenes) for pool in stage.pools])[0]
    chosen = random.sample(range(len(pool.scenes)), stage.batch)
    return [pool.scenes[i] for i in chosen], pool.latents[chosen]


class Average:
    """An exponential moving average of the text encoder's and the U-Net's weights."""

    def __init__(self, parts: Parts) -> None:
        text_encoder, unet = copy.deepcopy((parts.text_encoder, parts.unet))
        self.parts = replace(parts, text_encoder=text_encoder.eval(), unet=unet.eval())
        self._pairs = [
            *zip(text_encoder.parameters(), parts.text_encoder.parameters(), strict=True),
            *zip(unet.parameters(), parts.unet.parameters(), strict=True),
        ]
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the present weights, faster at the beginning."""
        self._updates += 1
        decay = min(_EMA, self._updates / (self._updates + 10))
        for mean, value in self._pairs:
            mean.lerp_(value, 1 - decay)


def _timesteps(count: int, noise: torch.Generator) -> Tensor:
    # What a picture shows is decided above 300; below, only its edges are left.
    low = torch.where(torch.rand(count, generator=noise) < 0.5, 0.0, 300.0)
    return (low + torch.rand(count, generator=noise) * (1000 - low)).long()


def _loss(parts: Parts, noisy: Tensor, noise: Tensor, timesteps: Tensor, ids: Tensor) -> Tensor:
    text = parts.text_encoder(ids).last_hidden_state
    return functional.mse_loss(parts.unet(noisy, timesteps, text, return_dict=False)[0], noise)


def _shares(
    parts: Parts, stage: Stage, random: Random, generator: torch.Generator
) -> list[Callable[[], Tensor]]:
    """A batch's loss, cut into shares for the workers."""
    scenes, latents = draw_batch(stage, random)
    texts = [
        "" if random.random() < _DROPOUT else training_caption(scene, random) for scene in scenes
    ]
    noise = torch.randn(latents.shape, generator=generator)
    timesteps = _timesteps(len(latents), generator)
    noisy = parts.scheduler.add_noise(latents, noise, timesteps)  # pyright: ignore[reportArgumentType]
    whole = (noisy, noise, timesteps, tokenize(parts.tokenizer, texts, stage.tokens))
    pieces = zip(*(tensor.split(stage.batch // stage.shares) for tensor in whole), strict=True)
    return [partial(_loss, parts, *piece) for piece in pieces]


def train_unet(
    parts: Parts,
    stages: Sequence[Stage],
    rate: float,
    seed: int,
    workers: Workers,
    checkpoint: Callable[[int, Parts], None],
    report: Callable[[str], None],
) -> Parts:
    """Train `parts` in place, at most at `rate`; returns their moving average, also handed to
    `checkpoint`."""
    random, generator = Random(f"unet {seed}"), torch.Generator().manual_seed(seed)
    trained = nn.ModuleList([parts.text_encoder, parts.unet]).train()
    weights = list(trained.parameters())
    average = Average(parts)
    groups = [{"params": parts.text_encoder.parameters()}, {"params": parts.unet.parameters()}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    steps = sum(stage.steps for stage in stages)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [rate / 3, rate], steps, pct_start=0.05
    )
    recent = 0.0
    order = [stage for stage in stages for _ in range(stage.steps)]
    for step, stage in enumerate(order, start=1):
        loss = workers.backward(weights, _shares(parts, stage, random, generator))
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        recent += (loss - recent) * (0.02 if step > 50 else 1 / step)
        if step % 50 == 0:
            report(f"unet {step}/{steps} loss {recent:.4f}")
        if step == steps or step % 500 == 0:
            checkpoint(step, average.parts)
    return average.parts
