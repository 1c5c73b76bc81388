"""The presets in the order in which they are offered."""

from __future__ import annotations

from ...core.templates import Template, templates

_ORDER = ("face", "person", "style", "character", "quick")
"""A newcomer has photographs of somebody, and no class pictures yet."""
_HIDDEN = ("demo",)
"""Not to begin a LoRA of one's own from; Home has it by itself."""


def presets() -> list[Template]:
    """The newcomer's default first; templates that nobody has ordered come last."""
    found = [template for template in templates() if template.name not in _HIDDEN]
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(found, key=lambda preset: (places.get(preset.name, len(places)), preset.name))


def preset_title(name: str) -> str:
    """What to call the preset of a draft; empty when there is none."""
    return next((item.title for item in templates() if item.name == name), name)
