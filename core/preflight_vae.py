"""Whether `model.vae` can take the place of the base's own VAE, from configurations and headers."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from typing import Any

from .config import RunConfig
from .config.paths import is_hub_id
from .errors import Problem, WizardError
from .families.base import FamilySpec, PartSize
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
        own = base.config("vae") if base.has("vae") else _expected(base)
        other = locate_vae(name, spec.open_vae).config()
    except WizardError as error:
        detail = error.message.removeprefix(f"{key}: ")
        yield Problem(f"{error.title} ({detail})", key, remedy=error.remedy)
        return
    own_or_another = "Take one of the family."
    if base.has("vae"):
        own_or_another = "Leave it out for the base's own, or take one of the family."
    for what, fact in (("latent_channels", "channels"), ("block_out_channels", "sizes")):
        if not base.has("vae") and what not in own:
            continue
        mine, its = own.get(what), other.get(what)
        if isinstance(mine, list) and isinstance(its, list):
            mine, its = len(mine), len(its)
        if mine != its:
            yield Problem(
                f"its latents have {its} {fact}, the base's {mine}: it is of another family",
                key,
                remedy=own_or_another,
            )


def vae_size(config: RunConfig, spec: FamilySpec) -> PartSize | None:
    """Of `model.vae`: as its file says, else as the family's usual; None where neither is known."""
    name = config.model.vae
    if spec.open_vae and (not is_hub_id(name) or os.path.exists(name)):  # noqa: PTH110
        with contextlib.suppress(WizardError, OSError):
            headers = locate_vae(name, spec.open_vae).headers()
            shapes = [info.shape for header in headers for info in header.tensors.values()]
            return PartSize(sum(math.prod(shape) for shape in shapes))
    return spec.costs.parts.get("vae") if spec.costs else None


def _expected(base: BaseModel) -> dict[str, Any]:
    """Of the VAE of a base that has none in it: as its U-Net takes latents."""
    return {"latent_channels": base.config("unet").get("in_channels")}
