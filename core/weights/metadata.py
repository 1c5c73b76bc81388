"""What a LoRA file says of itself. Free of torch.

``ss_*`` as sd-scripts writes it, for the tools that show it; ``modelspec.*`` by Stability's
specification (https://github.com/Stability-AI/ModelSpec). Only what is known: no dates and no
session ids either, so that the same run gives the same bytes, and no paths but folders' names.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..config import CaptionOptions, RunConfig
from ..config.paths import EMBEDDED, templates_folder
from ..config.sections.loss import TIMESTEPS
from ..dataset.captions import split_tags, with_prompt, with_trigger_words, words_before
from ..dataset.plan import DatasetPlan, Sample
from ..families.base import FamilySpec
from .metadata_options import options_metadata, or_none

_MODELSPEC_VERSION = "1.0.1"
_OWN_RANKS = {"ss_network_dim": "Dynamic", "ss_network_alpha": "Dynamic"}
"""As sd-scripts writes it into a file that was resized layer by layer."""


@dataclass(frozen=True)
class Training:
    """What metadata need to know of a run beside its configuration and plan."""

    resolution: tuple[int, int]
    """(width, height) of the training area in pixels."""
    batches_per_epoch: int
    epochs: int
    total_steps: int
    warmup_steps: int
    step: int
    """Steps trained when this file is written."""
    epoch: int
    continued: str = ""
    """SHA-256 of the LoRA that it went on from."""
    own_ranks: bool = False
    """Whether layers have ranks of their own."""


def build(
    config: RunConfig,
    spec: FamilySpec,
    network_module: str,
    base_hash: str,
    plan: DatasetPlan,
    training: Training,
) -> dict[str, str]:
    """All metadata of a file but the hashes over its content, which `kohya.to_bytes` adds.

    ``spec`` is the loaded family's own (its prediction is the base model's), ``network_module``
    `NetworkSpec.module`, ``base_hash`` `ModelFamily.base_hash`.
    """
    own_ranks: dict[str, str] = _OWN_RANKS if training.own_ranks else {}
    return {
        **options_metadata(config, network_module),
        **own_ranks,
        **_dataset(config, plan, training),
        **_progress(training),
        **_base(config, spec, base_hash),
        **_modelspec(config, spec, plan, training),
        **_beginning(config, training),
        "lora_wizard_version": _own_version(),
    }


def tag_frequency(plan: DatasetPlan, captions: CaptionOptions) -> dict[str, dict[str, int]]:
    """How often each tag is in the captions of each folder; the commonest first.

    As sd-scripts counts: by the folder's name, in lower case, each picture once whatever its
    repeats. With the trigger words, which other tools read from here, whether they are in the
    files or put there for training.
    """
    counts: dict[str, Counter[str]] = {}
    marks = ("\n", captions.keep_tokens_separator, captions.secondary_separator)
    for sample in plan.training_samples:
        raw = with_prompt(sample.prompt, sample.caption)
        for mark in filter(None, marks):
            raw = raw.replace(mark, captions.separator)
        caption = with_trigger_words(raw, words_before(sample), raw, captions).lower()
        of_folder = counts.setdefault(sample.folder.name, Counter())
        of_folder.update(split_tags(caption, captions.separator))
    return {
        folder: dict(sorted(tags.items(), key=lambda item: (-item[1], item[0])))
        for folder, tags in sorted(counts.items())
    }


def _dataset(config: RunConfig, plan: DatasetPlan, training: Training) -> dict[str, str]:
    dataset, captions = config.dataset, config.captions
    return {
        "ss_resolution": str(training.resolution),
        "ss_num_train_images": str(_uses(plan.training_samples)),
        "ss_num_reg_images": str(_uses(plan.regularization_samples)),
        "ss_batch_size_per_device": str(config.training.batch_size),
        "ss_total_batch_size": str(_pictures_of_a_step(config)),
        "ss_enable_bucket": str(dataset.buckets),
        "ss_bucket_no_upscale": str(not dataset.upscale),
        "ss_min_bucket_reso": or_none(dataset.bucket_min_side),
        "ss_max_bucket_reso": or_none(dataset.bucket_max_side),
        "ss_shuffle_caption": str(captions.shuffle),
        "ss_keep_tokens": str(captions.keep_tokens),
        "ss_dataset_dirs": _folders(plan, regularization=False),
        "ss_reg_dataset_dirs": _folders(plan, regularization=True),
        "ss_tag_frequency": _json(tag_frequency(plan, captions)),
        "ss_bucket_info": _buckets(plan),
        **_pictures(config),
    }


def _pictures(config: RunConfig) -> dict[str, str]:
    """What happened to the pictures, as far as something did."""
    augmentation = config.augmentation
    done = {
        "ss_flip_aug": augmentation.flip,
        "ss_color_aug": augmentation.color,
        "ss_random_crop": augmentation.random_crop,
        "ss_masked_loss": config.loss.mask != "none",
    }
    return {name: str(True) for name, is_done in done.items() if is_done}


def _progress(training: Training) -> dict[str, str]:
    return {
        "ss_num_batches_per_epoch": str(training.batches_per_epoch),
        "ss_num_epochs": str(training.epochs),
        "ss_max_train_steps": str(training.total_steps),
        "ss_lr_warmup_steps": str(training.warmup_steps),
        "ss_steps": str(training.step),
        "ss_epoch": str(training.epoch),
    }


def _beginning(config: RunConfig, training: Training) -> dict[str, str]:
    if not training.continued:
        return {}
    return {
        "lora_wizard_continued_from": Path(config.network.weights).name,
        "lora_wizard_continued_from_sha256": training.continued,
    }


def _base(config: RunConfig, spec: FamilySpec, base_hash: str) -> dict[str, str]:
    return {
        "ss_base_model_version": spec.base_version,
        "ss_v2": str(spec.base_version.startswith("sd_v2")),
        "ss_v_parameterization": str(spec.prediction == "v"),
        "ss_zero_terminal_snr": str(spec.zero_terminal_snr),
        "ss_sd_model_name": base_name(config.model.base),
        # Not ss_new_sd_model_hash: that is the hash of a single checkpoint file.
        "lora_wizard_base_hash": base_hash,
    }


def base_name(base: str) -> str:
    """A base model by the name that others know, without the folders it lies in here."""
    path = Path(base).expanduser()
    if base.startswith(EMBEDDED) or not path.exists():
        return base
    embedded = templates_folder().resolve()
    if path.resolve().is_relative_to(embedded):
        return f"{EMBEDDED}{path.resolve().relative_to(embedded).parts[0]}"
    return path.resolve().name


def _modelspec(
    config: RunConfig, spec: FamilySpec, plan: DatasetPlan, training: Training
) -> dict[str, str]:
    width, height = training.resolution
    fields = {
        "sai_model_spec": _MODELSPEC_VERSION,
        "architecture": f"{spec.architecture}/lora",
        "implementation": "diffusers",
        "title": config.output.name,
        "resolution": f"{width}x{height}",
        "prediction_type": spec.prediction,
        "encoder_layer": str(config.model.clip_skip),
    }
    if (span := (config.loss.min_timestep, config.loss.max_timestep)) != (0, TIMESTEPS):
        fields["timestep_range"] = f"{span[0]},{span[1]}"
    if config.output.comment:
        fields["description"] = config.output.comment
    if words := _trigger_words(plan):
        fields["trigger_phrase"] = ", ".join(words)
        fields["usage_hint"] = f"Trigger words: {', '.join(words)}"
    return {f"modelspec.{name}": value for name, value in fields.items()}


def _trigger_words(plan: DatasetPlan) -> list[str]:
    words = (word for sample in plan.training_samples for word in sample.trigger_words)
    return list(dict.fromkeys(words))


def _folders(plan: DatasetPlan, *, regularization: bool) -> str:
    return _json(
        {
            concept.folder.name: {"n_repeats": concept.repeats, "img_count": concept.images}
            for concept in plan.concepts
            if concept.is_regularization == regularization
        }
    )


def _buckets(plan: DatasetPlan) -> str:
    counts: Counter[tuple[int, int]] = Counter()
    for sample in plan.samples:
        counts[sample.bucket.width, sample.bucket.height] += sample.repeats
    buckets = {
        str(index): {"resolution": list(size), "count": counts[size]}
        for index, size in enumerate(sorted(counts))
    }
    return _json({"buckets": buckets})


def _uses(samples: tuple[Sample, ...]) -> int:
    return sum(sample.repeats for sample in samples)


def _pictures_of_a_step(config: RunConfig) -> int:
    return config.training.batch_size * config.training.gradient_accumulation


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _own_version() -> str:
    try:
        return version("lora-wizard")
    except PackageNotFoundError:
        return "unknown"
