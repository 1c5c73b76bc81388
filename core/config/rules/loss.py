"""Rules of `[loss]`. What depends on what the base predicts is said with the base."""

from __future__ import annotations

from collections.abc import Iterator

from ..run_config import RunConfig
from ..sections.loss import LossOptions
from .base import Finding, Rule, error, warning


def _no_effect(config: RunConfig) -> Iterator[Finding]:
    loss, defaults = config.loss, LossOptions()
    is_huber = loss.type in ("huber", "smooth_l1")
    needs = (
        ("huber_c", is_huber, "type"),
        ("huber_schedule", is_huber, "type"),
        ("huber_scale", is_huber, "type"),
        ("multires_discount", loss.multires_iterations, "multires_iterations"),
        ("noise_offset_random_strength", loss.noise_offset, "noise_offset"),
        ("input_perturbation_random_strength", loss.input_perturbation, "input_perturbation"),
    )
    for name, needed, other in needs:
        if getattr(loss, name) != getattr(defaults, name) and not needed:
            why = f'with the loss "{loss.type}"' if other == "type" else f"without loss.{other}"
            yield warning(f"has no effect {why}", f"loss.{name}", f"loss.{other}")
    if is_huber and loss.huber_schedule == "snr" and loss.huber_scale != 1:
        yield warning(
            'has no effect with the schedule "snr"', "loss.huber_scale", "loss.huber_schedule"
        )
    if loss.adaptive_noise_scale < 0 and not loss.noise_offset:
        yield warning(
            "takes away from a noise offset of 0, which has no effect",
            "loss.adaptive_noise_scale",
            "loss.noise_offset",
        )
    if loss.prior_loss_weight != 1 and not config.dataset.regularization_folder:
        yield warning(
            "has no effect without dataset.regularization_folder",
            "loss.prior_loss_weight",
            "dataset.regularization_folder",
        )


def _choose_one(config: RunConfig) -> Iterator[Finding]:
    loss = config.loss
    if loss.multires_iterations and (loss.noise_offset or loss.adaptive_noise_scale):
        yield warning(
            "does what the noise offset does; together it is done twice",
            "loss.multires_iterations",
            "loss.noise_offset" if loss.noise_offset else "loss.adaptive_noise_scale",
            remedy="Choose one of them.",
        )
    if loss.debiased and loss.min_snr_gamma is not None:
        yield warning(
            "is multiplied with the weights of loss.min_snr_gamma, as sd-scripts does it; each "
            "was made to stand alone",
            "loss.debiased",
            "loss.min_snr_gamma",
            remedy="Choose one of them.",
        )


def _timesteps(config: RunConfig) -> Iterator[Finding]:
    first, end = config.loss.min_timestep, config.loss.max_timestep
    if first >= end:
        yield error(
            f"is {first}, and loss.max_timestep {end}: no timestep is left to train",
            "loss.min_timestep",
            "loss.max_timestep",
            remedy="Make the first smaller, or the other larger.",
        )


RULES: tuple[Rule, ...] = (_no_effect, _choose_one, _timesteps)
