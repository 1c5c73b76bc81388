"""Which classes are drawn: the one that was asked for, or that of each concept. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..config import RunConfig
from ..config.typed_section import typed
from .options import ClassPictureOptions
from .start import Work, uses, uses_of_concepts

_TITLE = "The class pictures"
_OF_ONE = ("class_word", "prompt")
"""What concepts with a class prompt say themselves."""


def has_own(config: RunConfig) -> bool:
    """Whether concepts name the classes that are drawn."""
    return any(concept.class_prompt.strip() for concept in config.dataset.concepts)


def work_of(config: RunConfig, into: Path, texts: Mapping[str, str], folder: Path) -> Work:
    """What is to be drawn, with options as they were typed; paths count from ``folder``. A class
    word comes before the concepts' class prompts. Raises ProblemsError, and WizardError where the
    training's pictures cannot be counted."""
    if "class_word" in texts or not has_own(config):
        options = typed(ClassPictureOptions, texts, _TITLE, folder)
        return Work(config, into, (options,), (uses(config),))
    counts: dict[str, int] = {}
    for concept, count in zip(config.dataset.concepts, uses_of_concepts(config), strict=True):
        if prompt := concept.class_prompt.strip():
            counts[prompt] = counts.get(prompt, 0) + count
    classes = (
        typed(
            ClassPictureOptions,
            {"prompt": prompt, **texts, "class_word": prompt},
            _TITLE,
            folder,
        )
        for prompt in counts
    )
    return Work(config, into, tuple(classes), tuple(counts.values()))


def without_own(config: RunConfig, texts: Mapping[str, str]) -> dict[str, str]:
    """``texts`` but for what the concepts say themselves."""
    own = _OF_ONE if has_own(config) else ()
    return {key: text for key, text in texts.items() if key not in own}
