"""Bytes on the disk: of a LoRA file, of a run, of the cache."""

from __future__ import annotations

from collections.abc import Mapping

from ..config import RunConfig
from ..dataset.plan import DatasetPlan
from ..families.base import FamilySpec, PartSize
from ..optimizers import settings
from ..preflight_base import BaseFindings
from ..schedule import Schedule

BYTES: Mapping[str, int] = {"bf16": 2, "fp16": 2, "fp32": 4}
STATES = 3
"""The new one beside the two that are kept until it is verified."""
_FP32 = 4
_ADAMW_BYTES = 8
_ENTRY_BYTES = 450
"""What the names, shapes and places of a layer's three tensors take in a file's header."""
_METADATA_BYTES = 5_000
_TOKEN_BYTES = 768 * 4
"""Of a token of an encoded caption in the cache."""


def part_sizes(spec: FamilySpec, base: BaseFindings | None) -> Mapping[str, PartSize]:
    """The base's parts by subfolder: as its files say, else the family's usual; empty when neither
    is known."""
    if base is not None and base.parts:
        return base.parts
    return spec.costs.parts if spec.costs else {}


def trained_parts(config: RunConfig, spec: FamilySpec) -> set[str]:
    """The subfolders whose layers get a LoRA that is trained."""
    text = set(spec.text_encoder_prefixes)
    every = {part.folder for part in spec.parts if part.weights} - {"vae"}
    optimizer = config.optimizer
    kept = set[str]()
    if optimizer.unet_learning_rate != "off":
        kept |= every - text
    if optimizer.text_encoder_learning_rate != "off":
        kept |= text
    return kept


def lora_values(config: RunConfig, spec: FamilySpec, base: BaseFindings | None) -> int:
    """How many numbers the LoRA has; 0 when that is not known."""
    network = config.network
    values = 0
    for size in _trained_sizes(config, spec, base):
        values += network.rank * size.lora_values
        if network.conv_rank:
            values += network.rank * size.beside_values + network.conv_rank * size.conv_values
    if base and base.lora_ranks:
        for target in base.lora_targets:
            usual = network.conv_rank or 0 if target.is_convolution else network.rank
            own = base.lora_ranks.get(target.key, usual)
            values += (own - usual) * target.values_per_rank
    return values


def lora_layers(config: RunConfig, spec: FamilySpec, base: BaseFindings | None) -> int:
    """On how many layers the LoRA hangs; 0 when that is not known."""
    convolutions = bool(config.network.conv_rank)
    return sum(
        size.lora_layers + convolutions * (size.beside_layers + size.conv_layers)
        for size in _trained_sizes(config, spec, base)
    )


def _trained_sizes(
    config: RunConfig, spec: FamilySpec, base: BaseFindings | None
) -> list[PartSize]:
    trained = trained_parts(config, spec)
    return [size for name, size in part_sizes(spec, base).items() if name in trained]


def optimizer_bytes(config: RunConfig) -> float:
    """What the optimizer remembers of each number of the LoRA; as AdamW, if it is not known."""
    spec = settings.known(config.optimizer.name)
    return spec.state_bytes if spec else _ADAMW_BYTES


def average_bytes(config: RunConfig) -> int:
    """What the moving average takes for each number of the LoRA."""
    return _FP32 if config.training.ema_decay else 0


def file_bytes(config: RunConfig, spec: FamilySpec, base: BaseFindings | None) -> int:
    """The length of a LoRA file; 0 when it is not known."""
    values = lora_values(config, spec, base)
    if not values:
        return 0
    layers = lora_layers(config, spec, base)
    precision = config.output.save_precision or config.model.precision
    return values * BYTES[precision] + layers * _ENTRY_BYTES + _METADATA_BYTES


def run_bytes(
    config: RunConfig, spec: FamilySpec, schedule: Schedule, base: BaseFindings | None
) -> int:
    """What a run writes into its folder at most, roughly: all files that are kept, the states, and
    the samples uncompressed."""
    files = len(schedule.save_steps())
    if config.output.keep_last:
        # The new one is verified before the oldest goes, and the final file stays beside them.
        files = min(files, config.output.keep_last + 2)
    per_value = _FP32 + optimizer_bytes(config) + average_bytes(config)
    states = round(STATES * per_value * lora_values(config, spec, base))
    drawn = len(config.sample_prompts()) * len(schedule.sample_steps())
    pictures = drawn * sample_pixels(config, spec) * 3
    return files * file_bytes(config, spec, base) + states + pictures


def cache_bytes(config: RunConfig, spec: FamilySpec, plan: DatasetPlan) -> int:
    """What the pictures and captions take in the cache, encoded."""
    cell = spec.costs.cell_side if spec.costs else 8
    cells = sum(sample.bucket.width * sample.bucket.height // cell**2 for sample in plan.samples)
    cells *= views_per_picture(config)
    texts = 0
    if config.optimizer.text_encoder_learning_rate == "off":
        size = (config.captions.max_tokens + 2) * _TOKEN_BYTES
        texts = len({sample.caption for sample in plan.samples}) * size
    # Mean and deviation of four channels, in fp32.
    return cells * 2 * 4 * 4 + texts


def views_per_picture(config: RunConfig) -> int:
    """How often each picture is encoded before the first step."""
    if not config.dataset.cache_latents:
        return 0
    return 2 if config.augmentation.flip else 1


def training_pixels(config: RunConfig, spec: FamilySpec) -> int:
    """Pixels of a training picture."""
    side = config.dataset.resolution or spec.native_resolution
    return side * side if isinstance(side, int) else side[0] * side[1]


def sample_pixels(config: RunConfig, spec: FamilySpec) -> int:
    """Pixels of a sample picture, without what a prompt says of its own."""
    side = config.dataset.resolution or spec.native_resolution
    width, height = (side, side) if isinstance(side, int) else side
    return (config.samples.width or width) * (config.samples.height or height)
