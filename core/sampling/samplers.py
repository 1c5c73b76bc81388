"""The sampling methods by the names people know them by. Free of torch until one is built."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ..errors import WizardError


@dataclass(frozen=True)
class Sampler:
    """A method of diffusers. ``settings`` overrule the base model's scheduler configuration."""

    scheduler: str
    label: str
    """What other tools call it; written into pictures."""
    settings: Mapping[str, Any] = field(default_factory=dict)


SAMPLERS: Mapping[str, Sampler] = {
    "euler_a": Sampler("EulerAncestralDiscreteScheduler", "Euler a"),
    "euler": Sampler("EulerDiscreteScheduler", "Euler"),
    "heun": Sampler("HeunDiscreteScheduler", "Heun"),
    "dpm_2": Sampler("KDPM2DiscreteScheduler", "DPM2"),
    "dpm_2_a": Sampler("KDPM2AncestralDiscreteScheduler", "DPM2 a"),
    "dpm++_2m": Sampler("DPMSolverMultistepScheduler", "DPM++ 2M"),
    "dpm++_2m_karras": Sampler(
        "DPMSolverMultistepScheduler", "DPM++ 2M Karras", {"use_karras_sigmas": True}
    ),
    "ddim": Sampler("DDIMScheduler", "DDIM", {"clip_sample": False, "set_alpha_to_one": False}),
    "pndm": Sampler("PNDMScheduler", "PLMS", {"skip_prk_steps": True}),
    "unipc": Sampler("UniPCMultistepScheduler", "UniPC"),
}
_SPELLINGS = {
    "k_euler": "euler",
    "k_euler_a": "euler_a",
    "k_dpm_2": "dpm_2",
    "k_dpm_2_a": "dpm_2_a",
    "dpmsolver++": "dpm++_2m",
}
"""How sd-scripts calls the same method."""
_RESCALED = "rescale_betas_zero_snr"
_NEARLY_NOTHING = 2.0**-24
"""What is kept of a picture in noise alone: samplers divide by it. diffusers takes the same."""


def find(name: str) -> str:
    """The name of a sampler, from it or from sd-scripts' spelling, in any case.

    Raises WizardError with a did-you-mean.
    """
    wanted = name.strip().lower().replace(" ", "_")
    wanted = _SPELLINGS.get(wanted, wanted)
    if wanted in SAMPLERS:
        return wanted
    close = get_close_matches(wanted, SAMPLERS, n=1)
    hint = f'Did you mean "{close[0]}"? ' if close else ""
    raise WizardError(
        f'There is no sampler "{name}"', "", f"{hint}There are: {', '.join(SAMPLERS)}."
    )


def build(name: str, configuration: Mapping[str, Any]) -> Any:
    """A fresh diffusers scheduler for ``name`` with the base model's noise schedule, one that was
    rescaled to end in noise alone included. Imports torch."""
    import diffusers

    sampler = SAMPLERS[find(name)]
    # A configuration carries the class it was saved for and what that class alone understands.
    settings = {key: value for key, value in configuration.items() if not key.startswith("_")}
    kind = getattr(diffusers, sampler.scheduler)
    if settings.get(_RESCALED) and _RESCALED not in inspect.signature(kind).parameters:
        settings["trained_betas"] = _rescaled_betas(settings)
    return kind.from_config(settings, **sampler.settings)


def _rescaled_betas(settings: Mapping[str, Any]) -> list[float]:
    """The betas of a schedule that ends in noise alone, for a class that cannot rescale them."""
    import diffusers

    scheduler: Any = diffusers.DDPMScheduler.from_config(dict(settings))
    kept = [1.0, *scheduler.alphas_cumprod.double().tolist()]
    kept[-1] = _NEARLY_NOTHING
    return [1 - after / before for before, after in itertools.pairwise(kept)]
