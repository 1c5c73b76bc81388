"""Options as text, for the terminal and for docs/options.md."""

from __future__ import annotations

from collections.abc import Sequence

import tomli_w

from .options import OptionInfo
from .run_config import RunConfig
from .sections.dataset import ConceptOptions


def default_text(info: OptionInfo) -> str:
    """The default as it would stand in a TOML; ``absent``, and what that means, for an
    option that is better left out."""
    if info.default is None:
        return f"absent: {info.absent}" if info.absent else "absent"
    if isinstance(info.default, list):
        return f"[{', '.join(_toml(item) for item in info.default)}]"
    return "{}" if info.default == {} else _toml(info.default)


def section_title(section: str) -> str:
    """A section's heading as it stands in a TOML."""
    return f"[[{section.removesuffix('[]')}]]" if section.endswith("[]") else f"[{section}]"


def allowed_text(info: OptionInfo) -> str:
    """What may stand there; the words that a registry knows, where there is one."""
    words = registered(info.key)
    unit = f", in {info.unit}" if info.unit else ""
    if not words:
        return info.allowed + unit
    return f"one of {', '.join(words)}" if len(words) > 1 else f"only {words[0]}"


def registered(key: str) -> Sequence[str]:
    """The words that an option takes from a registry, where plugins may add to them."""
    from ..families import registry as families
    from ..networks import registry as networks
    from ..optimizers import registry as optimizers
    from ..sampling.samplers import SAMPLERS

    names = {
        "model.family": families.names,
        "network.type": networks.names,
        "optimizer.name": optimizers.names,
        "samples.sampler": lambda: list(SAMPLERS),
    }
    return names[key]() if key in names else ()


def section_help(section: str) -> str:
    """What a section is for."""
    if section.endswith("[]"):
        return (ConceptOptions.__doc__ or "").strip()
    annotation = RunConfig.model_fields[section].annotation
    return (getattr(annotation, "__doc__", None) or "").strip()


def _toml(value: object) -> str:
    return tomli_w.dumps({"x": value}).partition("= ")[2].strip()
