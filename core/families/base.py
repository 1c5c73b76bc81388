"""The seam between the loop and a model family.

A family knows what its noise schedule, its prediction target, its text and its files mean. The
loop knows batches, keys, weights and steps; it multiplies an error by a weight and nothing else.

A family is two modules: ``families/<name>.py`` with its ``SPEC``, free of torch, for whatever
plans, checks or shows; and the module that ``SPEC.implementation`` names, which imports torch.
A family of another distribution is an entry point of the group ``lora_wizard.families`` that
names a ``FamilySpec``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..config import CaptionOptions, LossOptions, ModelOptions, RunConfig
    from ..errors import Problem
    from ..weights.base_model import BaseModel, OpenFile, Part

    Conditioning = Mapping[str, torch.Tensor]
    """What the denoiser is told, by name; the first dimension of each tensor is the batch."""

WHOLE_WAY = (0.0, 1.0)
"""All of the way from the picture, 0, to noise alone, 1."""


PROMPT_CHUNK = 75
"""Tokens of a caption that CLIP reads at once, and what longer ones are counted in."""


@dataclass(frozen=True)
class PartSize:
    """How many numbers a part of a base has, and how many layers of it get a LoRA, with how many
    numbers for each rank."""

    values: int
    lora_layers: int = 0
    lora_values: int = 0
    beside_layers: int = 0
    """Of the same rank, and there only when convolutions are trained, as are `conv_layers`."""
    beside_values: int = 0
    conv_layers: int = 0
    conv_values: int = 0
    """For each rank of the convolutions."""


@dataclass(frozen=True)
class Costs:
    """What training takes, so that memory and time can be told beforehand. Figures are of the
    family's usual base; another size of it is scaled. Bytes are those kept for the backward pass in
    16-bit training, per cell of the latent and picture; see `benchmarks/activations.py`."""

    parts: Mapping[str, PartSize]
    """By subfolder."""
    denoiser: str
    """The subfolder of the denoiser."""
    cell_side: int
    """Pixels per side of a latent's cell."""
    activation_bytes: float
    checkpointed_bytes: float
    """With gradient checkpointing, the block that is computed again included."""
    fp32_factor: float
    """How much more fp32 keeps."""
    convolutions_factor: float
    """How much more is kept when convolutions are trained."""
    text_activation_bytes: float
    """Per picture, when the text encoders are trained."""
    decoding_bytes: float
    """Per pixel of a sample picture, while the VAE decodes it."""
    operations: int
    """Calls of a forward and a backward pass through the denoiser, each of which starts a kernel on
    a GPU; without a LoRA."""
    flops: float
    """Of the denoiser's forward pass per cell."""
    attention_flops: float
    """The same per pair of cells."""
    lora_flops: float
    """Of a LoRA's forward pass per cell and number it has, on the layers of attention."""
    convolution_flops: float
    """The same on convolutions and the layers beside them."""
    encoding_flops: float
    """Of the VAE per pixel, to encode; decoding takes about twice as many."""


@dataclass(frozen=True)
class LoraTarget:
    """A layer that can get a LoRA, as the headers of a base's weights tell of it."""

    folder: str
    """The part of the base it is in, by subfolder."""
    name: str
    """Its full name in diffusers or transformers."""
    key: str
    """In a kohya-format file, without ``.lora_down...``."""
    shape: tuple[int, ...]
    """Of the base's weight: (outputs, inputs) and, for a convolution, its height and width."""
    beside: bool = False
    """Whether it is trained only when convolutions are."""
    other_names: tuple[str, ...] = ()
    """What other programs call it in their files, up to the matrix's own ending."""

    @property
    def is_convolution(self) -> bool:
        """Of more than a single cell: those have a rank of their own."""
        return len(self.shape) > 2 and set(self.shape[2:]) != {1}

    @property
    def values_per_rank(self) -> int:
        """How many numbers down and up have together for each rank."""
        return self.shape[0] + math.prod(self.shape[1:])


@dataclass(frozen=True)
class FamilySpec:
    """What is known of a family without loading anything."""

    name: str
    title: str
    """For people: ``Stable Diffusion 1.x``."""
    native_resolution: int
    bucket_step: int
    prediction: str
    """``epsilon``, ``v`` or ``flow``; a loaded family's own is its base's."""
    implementation: str
    """``package.module:Class`` of the ``ModelFamily``."""
    base_version: str
    """``ss_base_model_version`` of the files."""
    architecture: str
    """``modelspec.architecture`` of the files."""
    zero_terminal_snr: bool = False
    """Of a loaded family: whether the last timestep is noise alone by a rescaled schedule."""
    options_that_do_not_apply: frozenset[str] = frozenset()
    """TOML keys that mean nothing here and are refused when set."""
    samplers: tuple[str, ...] = ()
    text_encoder_prefixes: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    """What a base of the family consists of in the diffusers layout; looked for before a run."""
    pipelines: frozenset[str] = frozenset()
    """The classes that ``model_index.json`` names in bases of the family; empty: any."""
    open_file: OpenFile | None = None
    """How a base in a single file is opened; None where only folders are read."""
    open_vae: OpenFile | None = None
    """How a VAE in a single file is opened; None where there is no other than the base's own."""
    check_base: Callable[[BaseModel, RunConfig], Iterable[Problem]] | None = None
    """What is wrong with a base whose files are all there, without loading it, and what of the
    configuration does not fit it."""
    costs: Costs | None = None
    """None: memory and time are not told beforehand."""
    lora_targets: Callable[[BaseModel], Sequence[LoraTarget]] | None = None
    """All layers of a base that can get a LoRA, without loading it; None: sizes are not told, and
    files of other trainers are not continued."""


@dataclass(frozen=True)
class Batch:
    """One micro-batch on the device.

    latents: (B, C, h, w). conditioning: by name, (B, ...). geometry: per picture
    (original width, height, crop left, top, target width, height) in pixels, (B, 6), for families
    that are told (SDXL). mask: how much each cell counts in the loss, (B, 1, h, w) from 0 to 1;
    None where all count.
    """

    latents: torch.Tensor
    conditioning: Conditioning
    geometry: torch.Tensor
    mask: torch.Tensor | None = None


@dataclass(frozen=True)
class SamplePrompt:
    """One picture to draw. Sizes in pixels."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    sampler: str


class ModelFamily(Protocol):
    """A loaded base model.

    Parts are loaded when they are first needed and can be dropped again (`release`), so that the
    VAE and a frozen text encoder do not sit in memory beside the denoiser.
    """

    spec: FamilySpec

    def __init__(self, options: ModelOptions, device: torch.device) -> None: ...

    def base_hash(self) -> str:
        """SHA-256 that stands for the base's encoders in cache keys and for all of it in a state's
        manifest: the same files give the same hash wherever they lie."""
        ...

    @property
    def denoiser(self) -> torch.nn.Module:
        """The U-Net or transformer, frozen, in the training precision."""
        ...

    @property
    def text_encoders(self) -> Mapping[str, torch.nn.Module]:
        """By the name that `lora_prefixes` uses, frozen."""
        ...

    @property
    def lora_prefixes(self) -> Mapping[str, str]:
        """``denoiser`` and each text encoder's name -> prefix of its keys in a LoRA file."""
        ...

    def lora_targets(self) -> Mapping[str, Sequence[str]]:
        """For ``denoiser`` and each text encoder: the full names of the layers that get a LoRA."""
        ...

    def convolution_targets(self) -> Mapping[str, Sequence[str]]:
        """Which layers are added to `lora_targets` when convolutions are trained; parts that have
        none are left out."""
        ...

    def lora_key(self, part: str, module_name: str) -> str:
        """The name in a kohya-format file of a layer of ``part`` (without ``.lora_down...``)."""
        ...

    def encode_images(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [-1, 1] -> what is cached per picture, (B, E, h, w) fp32 on the CPU."""
        ...

    def draw_latents(self, encoded: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Latents (B, C, h, w), scaled, from `encode_images`' result and standard normal ``noise``
        of the latents' shape (`latent_shape`)."""
        ...

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(C, h, w) of a picture of ``width`` x ``height`` pixels."""
        ...

    def encode_prompts(
        self, captions: Sequence[str], options: CaptionOptions | None = None
    ) -> Conditioning:
        """Conditioning of ``captions``, with gradients when a text encoder is trained.
        ``options`` say how long captions may be and how they are read; the defaults if absent."""
        ...

    def draw_timesteps(
        self, uniforms: torch.Tensor, span: tuple[float, float] = WHOLE_WAY
    ) -> torch.Tensor:
        """Timesteps (B,) from uniform numbers in [0, 1) (B,), spread as this family spreads, within
        ``span`` of the way from picture to noise."""
        ...

    def way(self, timesteps: torch.Tensor) -> torch.Tensor:
        """How far each timestep is on the way from picture to noise, (B,) in [0, 1]."""
        ...

    def snr(self, timesteps: torch.Tensor) -> torch.Tensor:
        """The signal's variance over the noise's at each timestep, (B,)."""
        ...

    def predict(
        self,
        batch: Batch,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
        input_noise: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(prediction, target), both (B, C, h, w). ``input_noise``, where given, is what the
        latents get instead of ``noise``, which the target is still made of."""
        ...

    def loss_weight(self, timesteps: torch.Tensor, options: LossOptions) -> torch.Tensor:
        """A weight per picture (B,): min-SNR and its like live where the schedule is known."""
        ...

    def sample(self, prompts: Sequence[SamplePrompt], at_once: int | None = None) -> list[Image]:
        """Draw ``prompts`` with the denoiser and text encoders as they are now (with a network
        attached: with the network), ``at_once`` together. Leaves their modes, devices and
        gradients as found."""
        ...

    def enable_gradient_checkpointing(self) -> None: ...

    def release(self, *parts: str) -> None:
        """Drop ``vae`` or a text encoder's name from the device's memory until it is needed."""
        ...


def load_implementation(spec: FamilySpec) -> type[Any]:
    """The class behind a spec. Imports torch."""
    import importlib

    module, _, name = spec.implementation.partition(":")
    return getattr(importlib.import_module(module), name)
