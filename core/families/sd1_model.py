"""Stable Diffusion 1.x, loaded: AutoencoderKL, UNet2DConditionModel and CLIP's text encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from ..weights.base_model import locate
from ..weights.base_model_parts import is_trained, load_part, load_tokenizer
from ..weights.vae import locate_vae
from . import clip_text_model as clip_text
from . import sd1_layers
from .base import PROMPT_CHUNK, WHOLE_WAY, Batch, SamplePrompt
from .clip_text_model import ClipText
from .noise_schedule import NoiseSchedule
from .prediction import scheduler_config
from .sd1 import SPEC
from .sd1_checkpoint import open_vae

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..config import CaptionOptions, LossOptions, ModelOptions
    from .base import Conditioning

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


class StableDiffusion1:
    """A base of the family on one device. See `base.ModelFamily`.

    Frozen weights are kept in the training precision, the VAE in fp32: it is used once per
    picture, and its rounding would stay in the cache.
    """

    def __init__(self, options: ModelOptions, device: torch.device) -> None:
        self.device = torch.device(device)
        self.precision = _DTYPES[options.precision]
        self.base = locate(
            options.base, SPEC.parts, SPEC.open_file, given={"vae"} if options.vae else ()
        )
        self._vae = locate_vae(options.vae, open_vae) if options.vae else None
        self._vae_config = self._vae.config() if self._vae else self.base.config("vae")
        self._scheduler_config = scheduler_config(self.base, options)
        self._schedule = NoiseSchedule(self._scheduler_config, self.device)
        self.spec = replace(
            SPEC,
            prediction=self._schedule.prediction,
            zero_terminal_snr=self._schedule.ends_in_noise,
        )
        text_config = self.base.config("text_encoder")
        self._clip_skip = clip_text.checked_clip_skip(options.clip_skip, text_config)
        self._loaded: dict[str, Any] = {}
        self._parked: dict[str, Any] = {}
        self._base_hash = ""

    def base_hash(self) -> str:
        """SHA-256 of the contents of all files that are read; remembered between runs."""
        # Once: every saved file asks for it, also when the base has gone from the disk meanwhile.
        if not self._base_hash:
            self._base_hash = self.base.content_hash(SPEC.parts)
            if self._vae:
                both = f"{self._base_hash}\n{self._vae.content_hash()}\n"
                self._base_hash = sha256(both.encode()).hexdigest()
        return self._base_hash

    # Parts ------------------------------------------------------------------------------------

    @property
    def denoiser(self) -> UNet2DConditionModel:
        return self._part("unet", UNet2DConditionModel, self.precision)

    @property
    def text_encoder(self) -> CLIPTextModel:
        return self._part("text_encoder", CLIPTextModel, self.precision)

    @property
    def text_encoders(self) -> Mapping[str, torch.nn.Module]:
        return {"text_encoder": self.text_encoder}

    @property
    def vae(self) -> AutoencoderKL:
        if self._vae and "vae" not in self._loaded and "vae" not in self._parked:
            module = load_part(self._vae.base, self._vae.part, AutoencoderKL, torch.float32)
            self._loaded["vae"] = module.to(self.device)
        return self._part("vae", AutoencoderKL, torch.float32)

    @property
    def tokenizer(self) -> CLIPTokenizer:
        if "tokenizer" not in self._loaded:
            vocabulary_size = int(self.base.config("text_encoder")["vocab_size"])
            self._loaded["tokenizer"] = load_tokenizer(self.base, vocabulary_size)
        return self._loaded["tokenizer"]

    def release(self, *parts: str) -> None:
        """Drop ``vae``, ``text_encoder`` or ``denoiser``; it is loaded again when needed, without
        whatever was attached to it."""
        for part in parts:
            name = "unet" if part == "denoiser" else part
            self._loaded.pop(name, None)
            self._parked.pop(name, None)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def enable_gradient_checkpointing(self) -> None:
        """Of the U-Net, and of the text encoder where its layers are trained."""
        self.denoiser.enable_gradient_checkpointing()
        if "text_encoder" in self._loaded and is_trained(self.text_encoder):
            clip_text.checkpoint(self.text_encoder)

    # The LoRA's layers ------------------------------------------------------------------------

    @property
    def lora_prefixes(self) -> Mapping[str, str]:
        return {"denoiser": sd1_layers.UNET_LORA_PREFIX, **SPEC.text_encoder_prefixes}

    def lora_targets(self) -> Mapping[str, Sequence[str]]:
        """sd-scripts' default targets: see `sd1_layers`."""
        encoder = self._loaded.get("text_encoder")
        encoder = encoder or clip_text.without_weights(self.base.config("text_encoder"))
        return {
            "denoiser": denoiser_targets(self.denoiser),
            "text_encoder": text_encoder_targets(encoder),
        }

    def convolution_targets(self) -> Mapping[str, Sequence[str]]:
        return {"denoiser": sd1_layers.convolution_targets(_shapes(self.denoiser))}

    def lora_key(self, part: str, module_name: str) -> str:
        return sd1_layers.lora_key(part, module_name)

    # Pictures and prompts to tensors ----------------------------------------------------------

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        factor = self.vae_factor
        return int(self._vae_config["latent_channels"]), height // factor, width // factor

    @property
    def vae_factor(self) -> int:
        """Pixels of the picture per side of a latent's cell."""
        return 2 ** (len(self._vae_config["block_out_channels"]) - 1)

    @property
    def scaling_factor(self) -> float:
        return float(self._vae_config.get("scaling_factor", 0.18215))

    @torch.no_grad()
    def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [-1, 1] -> (B, 2C, h, w): mean, then standard deviation; fp32, CPU."""
        output: Any = self.vae.encode(pixels.to(self.device, torch.float32))
        posterior = output.latent_dist
        return torch.cat([posterior.mean, posterior.std], dim=1).float().cpu()

    def draw_latents(self, encoded: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        mean, deviation = encoded.chunk(2, dim=1)
        return (mean + deviation * noise) * self.scaling_factor

    def encode_prompts(
        self, captions: Sequence[str], options: CaptionOptions | None = None
    ) -> Conditioning:
        """``text``: (B, 77 or 152 or 227, width of the encoder), fp32; see `ClipText.encode`."""
        chunks = options.max_tokens // PROMPT_CHUNK if options else 1
        emphasis = options is not None and options.weighted
        with self._autocast():
            return {"text": self._text.encode(captions, chunks=chunks, emphasis=emphasis)}

    def prompt_chunks(self, prompt: str) -> int:
        return self._text.chunks_of(prompt)

    def encode_sample_prompts(self, prompts: Sequence[str], chunks: int) -> torch.Tensor:
        with self._autocast():
            return self._text.encode(prompts, chunks=chunks, emphasis=True)

    @property
    def _text(self) -> ClipText:
        return ClipText(self.tokenizer, self.text_encoder, self._clip_skip)

    # The noise schedule -----------------------------------------------------------------------

    def draw_timesteps(
        self, uniforms: torch.Tensor, span: tuple[float, float] = WHOLE_WAY
    ) -> torch.Tensor:
        return self._schedule.draw_timesteps(uniforms, span)

    def way(self, timesteps: torch.Tensor) -> torch.Tensor:
        return timesteps.double() / self._schedule.steps

    def snr(self, timesteps: torch.Tensor) -> torch.Tensor:
        return self._schedule.snr(timesteps)

    def predict(
        self,
        batch: Batch,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
        input_noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        added = noise if input_noise is None else input_noise
        noisy = self._schedule.add_noise(batch.latents, added, timesteps)
        prediction = self.denoise(noisy, timesteps, batch.conditioning["text"])
        return prediction, self._schedule.target(batch.latents, noise, timesteps)

    def loss_weight(self, timesteps: torch.Tensor, options: LossOptions) -> torch.Tensor:
        return self._schedule.weight(timesteps, options)

    def denoise(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: torch.Tensor
    ) -> torch.Tensor:
        """The U-Net's prediction in fp32, computed in the training precision."""
        with self._autocast():
            latents, text = latents.to(self.precision), text.to(latents.device, self.precision)
            timesteps = timesteps.to(latents.device)
            return self.denoiser(latents, timesteps, text, return_dict=False)[0].float()

    # Drawing ----------------------------------------------------------------------------------

    def sample(self, prompts: Sequence[SamplePrompt], at_once: int | None = None) -> list[Image]:
        from ..sampling.drawing import draw

        found = set(self._loaded)
        try:
            return draw(self, prompts, self._scheduler_config, at_once)
        finally:
            # Off the device, but not off the machine: the next picture is a moment away.
            for name in set(self._loaded) - found - {"tokenizer"}:
                self._parked[name] = self._loaded.pop(name).to("cpu")
            self.release()

    @torch.no_grad()
    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Scaled latents (B, C, h, w) -> pixels (B, 3, H, W) in [-1, 1], fp32."""
        vae: Any = self.vae
        return vae.decode(latents.float() / self.scaling_factor, return_dict=False)[0]

    # Inside -----------------------------------------------------------------------------------

    def _part(self, name: str, kind: type[Any], dtype: torch.dtype) -> Any:
        if name not in self._loaded:
            module = self._parked.pop(name, None) or load_part(self.base, name, kind, dtype)
            self._loaded[name] = module.to(self.device)
        return self._loaded[name]

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision is torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.precision)


def denoiser_targets(unet: torch.nn.Module) -> list[str]:
    """See `sd1_layers.denoiser_targets`."""
    return sd1_layers.denoiser_targets(_shapes(unet))


def text_encoder_targets(text_encoder: torch.nn.Module) -> list[str]:
    """See `sd1_layers.text_encoder_targets`."""
    return sd1_layers.text_encoder_targets(_shapes(text_encoder))


def _shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in module.named_parameters()}
