"""How much of a GPU's memory a run takes at its highest, and what to change when that is too
much."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..config import RunConfig
from ..families.base import PROMPT_CHUNK, FamilySpec
from ..hardware import Gpu
from ..preflight_base import BaseFindings
from .figures import Figure
from .past_runs import PastRun
from .sizes import (
    BYTES,
    average_bytes,
    lora_values,
    optimizer_bytes,
    part_sizes,
    sample_pixels,
    trained_parts,
    training_pixels,
)

_CUDA_BYTES = 0.5e9
"""What CUDA takes for itself."""
_LORA_BYTES = 8
"""Per number of the LoRA: weight and gradient in fp32; the optimizer's memory comes on top."""
_ROOM = 1.2
"""Kernels need room to work, and memory is given out in blocks."""
_BLOCKS = 1.1
"""Of what is used: what is taken for it, block by block."""
_TIGHT = 0.88
"""Of the GPU's free memory: above, whatever else wants some ends the run."""


@dataclass(frozen=True)
class Need:
    """Bytes of GPU memory at the two moments that can be the highest."""

    base: float
    """The base's weights while training."""
    lora: float
    pictures: float
    """What the pictures of a batch leave behind for the backward pass."""
    drawing: float
    """What drawing a sample adds to ``base`` and ``lora``."""

    @property
    def training(self) -> float:
        return self.base + self.lora + self.pictures + _CUDA_BYTES

    @property
    def sampling(self) -> float:
        return self.base + self.lora + self.drawing + _CUDA_BYTES

    @property
    def highest(self) -> float:
        return max(self.training, self.sampling)

    def times(self, factor: float) -> Need:
        """As much more or less, but for what CUDA takes."""
        parts = (self.base, self.lora, self.pictures, self.drawing)
        return Need(*(factor * size for size in parts))


@dataclass(frozen=True)
class Measured:
    """What an earlier run on the same base took."""

    run: str
    bytes: float
    factor: float
    """Of what was predicted for it."""


@dataclass(frozen=True)
class Fit:
    """How a run fits on a GPU."""

    state: Literal["fits", "tight", "does not fit"]
    words: str
    """For people, with what to change first where it does not."""
    advice: str = ""
    """That alone; empty where it fits."""


def need(config: RunConfig, spec: FamilySpec, base: BaseFindings | None) -> Need | None:
    """What a run needs; None for a family that gives no figures."""
    costs = spec.costs
    if costs is None:
        return None
    sizes, width = part_sizes(spec, base), BYTES[config.model.precision]
    texts = [name for name in sizes if name in spec.text_encoder_prefixes]
    trained = trained_parts(config, spec)
    of_texts = {name: sizes[name].values * width for name in texts}
    denoiser = sizes[costs.denoiser].values
    weights = denoiser * width + sum(of_texts[name] for name in texts if name in trained)
    # Activations go by a network's width, its weights by the width's square.
    scale = math.sqrt(denoiser / costs.parts[costs.denoiser].values)
    scale *= costs.fp32_factor if config.model.precision == "fp32" else 1
    checkpointing = config.training.gradient_checkpointing
    per_cell = costs.checkpointed_bytes if checkpointing else costs.activation_bytes
    if config.network.conv_rank and costs.denoiser in trained:
        per_cell *= costs.convolutions_factor
    batch, cells = config.training.batch_size, training_pixels(config, spec) / costs.cell_side**2
    pictures = batch * cells * per_cell * scale
    if trained & set(texts):
        texts_bytes = costs.text_activation_bytes * config.captions.max_tokens / PROMPT_CHUNK
        pictures += batch * texts_bytes * scale * (0.3 if checkpointing else 1)
    vae = sizes["vae"].values * BYTES["fp32"] if "vae" in sizes else 0
    drawing = vae + sum(of_texts[name] for name in texts if name not in trained)
    if not config.dataset.cache_latents:
        # It stays, and encodes before anything is kept for the backward pass.
        weights, drawing = weights + vae, drawing - vae
        pictures = max(pictures, training_pixels(config, spec) * costs.decoding_bytes)
    if config.sample_prompts():
        drawing += sample_pixels(config, spec) * costs.decoding_bytes * scale
    per_value = _LORA_BYTES + optimizer_bytes(config) + average_bytes(config)
    return Need(
        base=weights,
        lora=lora_values(config, spec, base) * per_value,
        pictures=pictures * _ROOM,
        drawing=drawing * bool(config.sample_prompts()),
    )


def measured(
    config: RunConfig, spec: FamilySpec, base: BaseFindings | None, history: Sequence[PastRun]
) -> Measured | None:
    """What the newest run that is like this one took; None without one."""
    for run in history:
        if run.memory and run.config and _is_like(run, run.config, config):
            predicted = need(run.config, spec, base)
            if predicted:
                factor = run.memory * _BLOCKS / (predicted.highest - _CUDA_BYTES)
                return Measured(run.name, run.memory, factor)
    return None


def _is_like(run: PastRun, then: RunConfig, config: RunConfig) -> bool:
    has_drawn = run.per_drawing is not None
    return (
        then.model.family == config.model.family
        and then.model.base == config.model.base
        and then.model.precision == config.model.precision
        and then.training.gradient_checkpointing == config.training.gradient_checkpointing
        and then.dataset.cache_latents == config.dataset.cache_latents
        and bool(then.sample_prompts()) == bool(config.sample_prompts()) == has_drawn
    )


def memory_figure(needed: Need, *, base_is_known: bool, measured: Measured | None = None) -> Figure:
    """A need in words."""
    highest = needed.highest
    if measured:
        basis = f"{memory_text(measured.bytes)} in {measured.run}, and what differs from it"
        return Figure(highest * 0.9, highest * 1.1, f"about {memory_text(highest)}", basis)
    is_training = needed.training >= needed.sampling
    last = ("pictures", needed.pictures) if is_training else ("drawing", needed.drawing)
    parts = (
        ("base", needed.base),
        ("LoRA and its optimizer", needed.lora),
        last,
        ("CUDA", _CUDA_BYTES),
    )
    basis = ", ".join(f"{name} {memory_text(size)}" for name, size in parts)
    basis += "; highest while training" if is_training else "; highest while drawing samples"
    basis += "" if base_is_known else "; for the family's usual base"
    return Figure(highest * 0.85, highest * 1.2, f"about {memory_text(highest)}", basis)


def memory_text(size: float) -> str:
    """Bytes of a GPU's memory, for people: counted in 1024s, as the makers of GPUs do."""
    if size < 0.95 * 2**30:
        return f"{size / 2**20:.0f} MB"
    return f"{size / 2**30:.1f} GB".replace(".0 GB", " GB")


def fit(
    config: RunConfig,
    spec: FamilySpec,
    base: BaseFindings | None,
    needed: Need,
    gpu: Gpu,
    factor: float = 1.0,
) -> Fit:
    """How a run fits on ``gpu``; ``factor`` is how much more than predicted is needed, which
    ``needed`` has in it."""
    free = gpu.free_bytes
    there = f"{gpu.name}: {memory_text(gpu.memory_bytes)}"
    if gpu.memory_bytes - free > 1e9:
        there += f", {memory_text(free)} of it free"
    if needed.highest <= _TIGHT * free:
        return Fit("fits", f"fits ({there})")
    state = "tight" if needed.highest <= free else "does not fit"
    advice = _advice(config, spec, base, free, factor)
    return Fit(state, f"{state} ({there}). {advice}", advice)


def _advice(
    config: RunConfig, spec: FamilySpec, base: BaseFindings | None, free: float, factor: float
) -> str:
    """The first single change that makes it fit; else all of them together."""

    def highest(changes: Mapping[str, Mapping[str, Any]]) -> float:
        changed = need(_changed(config, changes), spec, base)
        return changed.times(factor).highest if changed else math.inf

    together: dict[str, dict[str, Any]] = {}
    said: list[str] = []
    for words, changes in _savings(config, spec):
        alone = highest(changes)
        if alone <= _TIGHT * free:
            return f"First: {words} (about {memory_text(alone)})."
        for section, values in changes.items():
            together.setdefault(section, {}).update(values)
        said.append(words)
    combined = highest(together)
    if combined <= _TIGHT * free:
        return f"Together: {', '.join(said)} (about {memory_text(combined)})."
    return "It takes a larger GPU, or a lower dataset.resolution."


def _savings(
    config: RunConfig, spec: FamilySpec
) -> Iterator[tuple[str, Mapping[str, dict[str, Any]]]]:
    """What saves memory, the least painful first."""
    training = config.training
    if not training.gradient_checkpointing:
        yield "gradient checkpointing on", {"training": {"gradient_checkpointing": True}}
    if config.model.precision == "fp32":
        yield "precision bf16 or fp16", {"model": {"precision": "fp16"}}
    if training.batch_size > 1:
        gathered = training.gradient_accumulation * training.batch_size
        yield (
            f"batch size 1 and gradient accumulation {gathered}",
            {"training": {"batch_size": 1, "gradient_accumulation": gathered}},
        )
    if config.network.conv_rank:
        yield "no convolutions", {"network": {"conv_rank": None}}
    if config.network.rank > 32:
        yield "rank 32", {"network": {"rank": 32}}
    if config.sample_prompts() and sample_pixels(config, spec) > 512 * 512:
        yield "samples of 512x512", {"samples": {"width": 512, "height": 512}}
    if config.sample_prompts():
        yield "no samples", {"samples": {"prompts": []}}


def _changed(config: RunConfig, changes: Mapping[str, Mapping[str, Any]]) -> RunConfig:
    sections = {
        name: getattr(config, name).model_copy(update=dict(values))
        for name, values in changes.items()
    }
    return config.model_copy(update=sections)
