"""The presets in the order in which they are offered."""

from __future__ import annotations

from ...core.config.config_problems import options
from ...core.templates import Template, templates
from .draft import Draft

_ORDER = (
    *("face", "person", "style", "character"),
    *("quick", "standard", "thorough"),
    *("rentry", "prodigy", "sd-scripts"),
)
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


def presets() -> list[Template]:
    """The newcomer's default first; templates that nobody has ordered come last."""
    found = [template for template in templates() if template.name not in _HIDDEN]
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(found, key=lambda preset: (places.get(preset.name, len(places)), preset.name))


def numbers(preset: Template) -> list[tuple[str, str]]:
    """What a preset begins with where presets differ: labels and values, for people."""
    draft, known = Draft.new(preset.name), options()
    return [(known[key].label, draft.shown(key) or "not set") for key in _TELLING]


def preset_title(name: str) -> str:
    """What to call the preset of a draft; empty when there is none."""
    return next((item.title for item in templates() if item.name == name), name)
