"""What a LoRA file says of a run's options, in sd-scripts' words. Free of torch."""

from __future__ import annotations

import json

from ..config import CaptionOptions, LossOptions, NetworkOptions, OptimizerOptions, Rate, RunConfig
from ..optimizers.settings import settled

_CAPTIONS = {
    "ss_max_token_length": "max_tokens",
    "ss_weighted_captions": "weighted",
    "ss_enable_wildcard": "wildcards",
    "ss_caption_tag_dropout_rate": "tag_dropout",
    "ss_caption_dropout_every_n_epochs": "dropout_every_epochs",
}
"""Options that are told only where they are not at their defaults."""
_NONE = "None"
"""How sd-scripts writes an option that is not set."""


def options_metadata(config: RunConfig, network_module: str) -> dict[str, str]:
    """``ss_*`` of everything but the dataset, the base and the progress."""
    network, optimizer = config.network, settled(config.optimizer)
    precision = config.model.precision
    return {
        "ss_network_module": network_module,
        "ss_network_dim": str(network.rank),
        "ss_network_alpha": str(network.scaling_alpha),
        "ss_network_args": json.dumps(_network_arguments(network)),
        "ss_network_dropout": or_none(network.dropout or None),
        "ss_scale_weight_norms": or_none(network.max_norm),
        "ss_output_name": config.output.name,
        "ss_training_comment": config.output.comment,
        "ss_learning_rate": str(optimizer.learning_rate),
        "ss_unet_lr": _rate(optimizer.unet_learning_rate, optimizer.learning_rate),
        "ss_text_encoder_lr": _rate(optimizer.text_encoder_learning_rate, optimizer.learning_rate),
        "ss_optimizer": _optimizer(optimizer),
        "ss_lr_scheduler": optimizer.scheduler,
        "ss_max_grad_norm": str(config.training.max_grad_norm),
        "ss_gradient_checkpointing": str(config.training.gradient_checkpointing),
        "ss_gradient_accumulation_steps": str(config.training.gradient_accumulation),
        "ss_seed": str(config.training.seed),
        "ss_mixed_precision": "no" if precision == "fp32" else precision,
        "ss_clip_skip": str(config.model.clip_skip),
        "ss_caption_dropout_rate": str(config.captions.dropout),
        **_only_where_used(config),
        **_loss(config.loss),
    }


def _loss(loss: LossOptions) -> dict[str, str]:
    layers = loss.multires_iterations
    is_huber = loss.type in ("huber", "smooth_l1")
    scale = {"ss_huber_scale": str(loss.huber_scale)} if loss.huber_scale != 1 else {}
    return {
        **(scale if is_huber else {}),
        "ss_loss_type": loss.type,
        "ss_huber_schedule": loss.huber_schedule if is_huber else _NONE,
        "ss_huber_c": str(loss.huber_c) if is_huber else _NONE,
        "ss_min_snr_gamma": or_none(loss.min_snr_gamma),
        "ss_debiased_estimation": str(loss.debiased),
        "ss_noise_offset": or_none(loss.noise_offset or None),
        "ss_noise_offset_random_strength": str(loss.noise_offset_random_strength),
        "ss_adaptive_noise_scale": or_none(loss.adaptive_noise_scale or None),
        "ss_multires_noise_iterations": or_none(layers or None),
        "ss_multires_noise_discount": or_none(loss.multires_discount if layers else None),
        "ss_ip_noise_gamma": or_none(loss.input_perturbation or None),
        "ss_ip_noise_gamma_random_strength": str(loss.input_perturbation_random_strength),
        "ss_prior_loss_weight": str(loss.prior_loss_weight),
    }


def _network_arguments(network: NetworkOptions) -> dict[str, str]:
    """What sd-scripts is told in its ``--network_args``, where everything is text."""
    given = {
        "conv_dim": network.conv_rank,
        "conv_alpha": network.scaling_conv_alpha,
        "rank_dropout": network.rank_dropout or None,
        "module_dropout": network.module_dropout or None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _only_where_used(config: RunConfig) -> dict[str, str]:
    ratio, decay = config.optimizer.loraplus_ratio, config.training.ema_decay
    found = {"lora_wizard_loraplus_ratio": str(ratio)} if ratio != 1 else {}
    found |= {"lora_wizard_ema_decay": str(decay)} if decay else {}
    captions, usual = config.captions.model_dump(), CaptionOptions().model_dump()
    changed = {key for key, name in _CAPTIONS.items() if captions[name] != usual[name]}
    return found | {key: str(captions[_CAPTIONS[key]]) for key in sorted(changed)}


def _optimizer(options: OptimizerOptions) -> str:
    """Its name and all that it was given but rates, as sd-scripts writes it."""
    values = {"weight_decay": options.weight_decay, "betas": options.betas, "eps": options.epsilon}
    given = {name: value for name, value in values.items() if value is not None}
    parts = [
        f"{name}={tuple(value) if isinstance(value, list) else value}"
        for name, value in {**given, **options.arguments}.items()
    ]
    return f"{options.name}({','.join(parts)})"


def _rate(rate: Rate, inherited: float | None) -> str:
    if rate == "off":
        return "0.0"
    return str(inherited if rate == "inherit" else rate)


def or_none(value: float | None) -> str:
    """A number that may be absent."""
    return _NONE if value is None else str(value)
