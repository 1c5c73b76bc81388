"""A flow-matching family with geometry in its conditioning, found as another distribution's is:
so that neither the seam nor the loop is shaped by Stable Diffusion alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from lora_wizard.core.config import CaptionOptions, LossOptions, ModelOptions
from lora_wizard.core.families.base import WHOLE_WAY, Batch, FamilySpec, SamplePrompt
from PIL import Image
from torch import nn
from torch.nn.functional import avg_pool2d, silu

FACTOR, CHANNELS, WIDTH, WORDS = 4, 3, 24, 251

SPEC = FamilySpec(
    name="toy_flow",
    title="Toy Flow",
    native_resolution=32,
    bucket_step=8,
    prediction="flow",
    implementation="toy_flow:ToyFlow",
    base_version="toy_flow",
    architecture="toy-flow",
    options_that_do_not_apply=frozenset(
        {
            "captions.max_tokens",
            "captions.weighted",
            "loss.debiased",
            "loss.min_snr_gamma",
            "loss.scale_v_like_epsilon",
            "loss.v_like_loss",
            "model.clip_skip",
            "model.prediction",
            "model.zero_terminal_snr",
            "network.conv_rank",
            "network.weights",
        }
    ),
    samplers=("euler_a", "euler"),
    text_encoder_prefixes={"text_encoder": "lora_te_"},
)


def register(folder: Path) -> Path:
    """Make a distribution of this in ``folder``, which is to be put on the import path."""
    info = folder / "toy_flow-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-flow\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[lora_wizard.families]\ntoy_flow = toy_flow:SPEC\n")
    return folder


class TextEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, captions: Sequence[str]) -> torch.Tensor:
        rows = [[_word(word) for word in caption.split()] or [0] for caption in captions]
        means = [self.words(torch.tensor(row)).mean(dim=0) for row in rows]
        return self.proj(torch.stack(means))


class Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.to_hidden = nn.Linear(CHANNELS, WIDTH)
        self.from_told = nn.Linear(WIDTH + 6 + 1, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.to_out = nn.Linear(WIDTH, CHANNELS)

    def forward(
        self, latents: torch.Tensor, times: torch.Tensor, text: torch.Tensor, geometry: torch.Tensor
    ) -> torch.Tensor:
        told = self.from_told(torch.cat([text, geometry / 64, times[:, None]], dim=1))
        hidden = silu(self.to_hidden(latents.movedim(1, -1)) + told[:, None, None, :])
        return self.to_out(silu(self.mix(hidden)) + hidden).movedim(-1, 1)


class ToyFlow:
    spec = SPEC

    def __init__(self, options: ModelOptions, device: torch.device) -> None:
        self.options, self.device = options, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.base_hash()[:8], 16))
            self.denoiser: nn.Module = Denoiser().requires_grad_(False).eval()
            self._text: nn.Module = TextEncoder().requires_grad_(False).eval()

    def base_hash(self) -> str:
        return hashlib.sha256(self.options.base.encode()).hexdigest()

    @property
    def text_encoders(self) -> Mapping[str, nn.Module]:
        return {"text_encoder": self._text}

    @property
    def lora_prefixes(self) -> Mapping[str, str]:
        return {"denoiser": "lora_unet_", **SPEC.text_encoder_prefixes}

    def lora_targets(self) -> Mapping[str, Sequence[str]]:
        denoiser = ["to_hidden", "from_told", "mix", "to_out"]
        return {"denoiser": denoiser, "text_encoder": ["proj"]}

    def convolution_targets(self) -> Mapping[str, Sequence[str]]:
        return {}

    def lora_key(self, part: str, module_name: str) -> str:
        return self.lora_prefixes[part] + module_name.replace(".", "_")

    def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
        return avg_pool2d(pixels.float(), FACTOR).cpu()

    def draw_latents(self, encoded: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return encoded + 0.01 * noise

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return CHANNELS, height // FACTOR, width // FACTOR

    def encode_prompts(
        self, captions: Sequence[str], options: CaptionOptions | None = None
    ) -> dict[str, torch.Tensor]:
        return {"text": self._text(captions)}

    def draw_timesteps(
        self, uniforms: torch.Tensor, span: tuple[float, float] = WHOLE_WAY
    ) -> torch.Tensor:
        shift = 2.0
        shifted = shift * uniforms / (1 + (shift - 1) * uniforms)
        return span[0] + (span[1] - span[0]) * shifted

    def way(self, timesteps: torch.Tensor) -> torch.Tensor:
        return timesteps

    def snr(self, timesteps: torch.Tensor) -> torch.Tensor:
        return ((1 - timesteps) / timesteps).square()

    def predict(
        self,
        batch: Batch,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
        input_noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        share = timesteps[:, None, None, None]
        added = noise if input_noise is None else input_noise
        noisy = (1 - share) * batch.latents + share * added
        text = batch.conditioning["text"]
        return self.denoiser(noisy, timesteps, text, batch.geometry), noise - batch.latents

    def loss_weight(self, timesteps: torch.Tensor, options: LossOptions) -> torch.Tensor:
        return torch.ones_like(timesteps)

    @torch.no_grad()
    def sample(
        self, prompts: Sequence[SamplePrompt], at_once: int | None = None
    ) -> list[Image.Image]:
        return [self._draw(prompt) for prompt in prompts]

    def _draw(self, prompt: SamplePrompt) -> Image.Image:
        shape = (1, *self.latent_shape(prompt.width, prompt.height))
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(prompt.seed))
        size = [prompt.width, prompt.height]
        geometry = torch.tensor([[*size, 0, 0, *size]], dtype=torch.float32)
        text = self.encode_prompts([prompt.prompt])["text"]
        for step in range(prompt.steps):
            times = torch.tensor([1 - step / prompt.steps])
            latents = latents - self.denoiser(latents, times, text, geometry) / prompt.steps
        levels = ((latents[0] + 1) * 127.5).clamp(0, 255).byte().movedim(0, -1)
        return Image.fromarray(levels.numpy(), "RGB").resize((prompt.width, prompt.height))

    def enable_gradient_checkpointing(self) -> None:
        pass

    def release(self, *parts: str) -> None:
        pass


def _word(word: str) -> int:
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little") % WORDS
