"""The presets in the order in which they are offered."""

from __future__ import annotations

import re

from ...core.config.config_problems import options
from ...core.templates import Template, templates
from .draft import Draft

_ORDER = ("face", "person", "style", "character", "quick")
"""A newcomer has photographs of somebody, and no class pictures yet."""
_HIDDEN = ("demo",)
"""Not to begin a LoRA of one's own from; Home has it by itself."""

_TELLING = (
    "network.rank",
    "network.alpha",
    "optimizer.name",
    "optimizer.learning_rate",
    "optimizer.scheduler",
    "dataset.resolution",
    "dataset.repeats",
    "training.epochs",
    "training.batch_size",
    "captions.dropout",
)

_GUIDES = {
    "S0": "the kohya_ss notes for JarvisLabs",
    "S1": "Haoming's LoRA tutorial",
    "S2": "the LoRA guide on rentry.org",
    "S3": "the documentation of sd-scripts",
    "S4": "ThinkDiffusion's LoRA walkthrough",
}
"""As in docs/sources.md."""


def presets() -> list[Template]:
    """The newcomer's default first; templates that nobody has ordered come last."""
    found = [template for template in templates() if template.name not in _HIDDEN]
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(found, key=lambda preset: (places.get(preset.name, len(places)), preset.name))


def sources_in_words(source: str) -> str:
    """A template's source with the guides by their names instead of their signs."""
    for sign, name in _GUIDES.items():
        source = re.sub(rf"\b{sign}\b", name, source)
    return source


def numbers(preset: Template) -> list[tuple[str, str]]:
    """What a preset begins with where presets differ: labels and values, for people."""
    draft, known = Draft.new(preset.name), options()
    return [(known[key].label, draft.shown(key) or "not set") for key in _TELLING]


def preset_title(name: str) -> str:
    """What to call the preset of a draft; empty when there is none."""
    return next((item.title for item in templates() if item.name == name), name)
