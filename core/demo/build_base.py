"""Builds the embedded base model from nothing: `python -m lora_wizard.core.demo.build_base`."""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from .build_text import train_text
from .build_unet import Stage, make_pools, train_unet
from .build_vae import train_vae
from .captions import WORDS
from .model import Parts, make_scheduler, make_text_encoder, make_unet, save
from .parallel import Workers
from .tokenizer import MAX_LENGTH, write_tokenizer
from .world import RESOLUTIONS

_SMALL = ((32, 32), (48, 32), (32, 48))


@dataclass(frozen=True)
class Plan:
    """What the command line asks for."""

    out: Path
    work: Path
    start: Path | None
    rate: float
    steps: int
    small_steps: int
    text_steps: int
    vae_steps: int
    batch: int
    scenes: int
    seed: int
    threads: int


class Report:
    """Progress lines with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._start:7.1f} s  {line}\n")


def _vae(plan: Plan, workers: Workers, report: Report) -> AutoencoderKL:
    folder = plan.work / "vae"
    if folder.exists():
        report(f"taking the autoencoder from {folder}")
    else:
        train_vae(plan.vae_steps, 16, plan.seed, workers, report).save_pretrained(folder)
    return AutoencoderKL.from_pretrained(folder).eval().requires_grad_(False)


def _text_encoder(
    plan: Plan, size: int, tokenizer: CLIPTokenizer, workers: Workers, report: Report
) -> CLIPTextModel:
    folder = plan.work / "text_encoder"
    if folder.exists():
        report(f"taking the text encoder from {folder}")
    else:
        encoder = make_text_encoder(size)
        train_text(encoder, tokenizer, plan.text_steps, 64, plan.seed, workers, report)
        encoder.save_pretrained(folder)
    return CLIPTextModel.from_pretrained(folder, dtype=torch.float32)


def build(plan: Plan, report: Report) -> None:
    """Train what `plan.work` does not hold yet and write the pipeline to `plan.out`."""
    workers = Workers(plan.threads)
    vae = _vae(plan, workers, report)
    size = write_tokenizer(plan.out / "tokenizer", WORDS)
    tokenizer = CLIPTokenizer.from_pretrained(plan.out / "tokenizer")
    torch.manual_seed(plan.seed)
    if plan.start:
        unet = UNet2DConditionModel.from_pretrained(plan.start / "unet").float()
        encoder = CLIPTextModel.from_pretrained(plan.start / "text_encoder", dtype=torch.float32)
    else:
        unet = make_unet()
        encoder = _text_encoder(plan, size, tokenizer, workers, report)
    parts = Parts(vae, unet, encoder, tokenizer, make_scheduler())
    stages = _stages(plan, vae, report)

    def checkpoint(step: int, average: Parts) -> None:
        save(average, plan.out)
        report(f"wrote {plan.out} after step {step}")

    train_unet(parts, stages, plan.rate, plan.seed, workers, checkpoint, report)


def _stages(plan: Plan, vae: AutoencoderKL, report: Report) -> list[Stage]:
    """What words mean is learned at a quarter of the price from pictures of half the size."""
    random = Random(f"pool {plan.seed}")
    stages: list[Stage] = []
    if plan.small_steps:
        small = make_pools(vae, plan.scenes // 2, _SMALL, random, report)
        stages.append(Stage(small, plan.small_steps, 2 * plan.batch, tokens=40, shares=2))
    whole = make_pools(vae, plan.scenes, RESOLUTIONS, random, report)
    return [*stages, Stage(whole, plan.steps, plan.batch, tokens=MAX_LENGTH, shares=4)]


def _plan() -> Plan:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished pipeline")
    parser.add_argument("--work", type=Path, help="keeps autoencoder and text encoder (OUT.work)")
    parser.add_argument("--start", type=Path, help="a finished pipeline to teach for longer")
    parser.add_argument("--rate", type=float, default=1.2e-3, help="highest learning rate")
    parser.add_argument("--steps", type=int, default=4000, help="U-Net and text encoder together")
    parser.add_argument("--small-steps", type=int, default=500, help="before, at half size")
    parser.add_argument("--text-steps", type=int, default=600, help="before there are pictures")
    parser.add_argument("--vae-steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--scenes", type=int, default=12000, help="drawn and encoded once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="cores to use")
    asked = vars(parser.parse_args())
    asked["work"] = asked["work"] or asked["out"].with_suffix(".work")
    return Plan(**asked)


def main() -> None:
    """The command line."""
    build(_plan(), Report())


if __name__ == "__main__":
    main()
