"""Whether `model.vae` can take the place of the base's own VAE, from configurations and headers."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .config import RunConfig
from .config.paths import is_hub_id
from .errors import Problem, WizardError
from .families.base import FamilySpec
from .weights.base_model import BaseModel
from .weights.vae import locate_vae


def vae_problems(config: RunConfig, spec: FamilySpec, base: BaseModel) -> Iterator[Problem]:
    """What is wrong with another VAE than the base's own; the hub is not asked."""
    name, key = config.model.vae, "model.vae"
    if not name:
        return
    if spec.open_vae is None:
        yield Problem(f"{spec.title} has no other VAE than the base's own", key)
        return
    if is_hub_id(name) and not os.path.exists(name):  # noqa: PTH110 (see config_paths)
        message = f"{name} comes from the hub, if it is not in its cache"
        yield Problem(message, key, severity="note")
        return
    try:
        own, other = base.config("vae"), locate_vae(name, spec.open_vae).config()
    except WizardError as error:
        detail = error.message.removeprefix(f"{key}: ")
        yield Problem(f"{error.title} ({detail})", key, remedy=error.remedy)
        return
    for what, fact in (("latent_channels", "channels"), ("block_out_channels", "sizes")):
        mine, its = own.get(what), other.get(what)
        if isinstance(mine, list) and isinstance(its, list):
            mine, its = len(mine), len(its)
        if mine != its:
            yield Problem(
                f"its latents have {its} {fact}, the base's {mine}: it is of another family",
                key,
                remedy="Leave it out for the base's own, or take one of the family.",
            )
