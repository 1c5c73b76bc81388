"""What a base model is, as the wizard tells of it: told from names, shapes and configurations."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.config.paths import is_hub_id, resolve_base_model
from ...core.errors import WizardError
from ...core.families import registry as families
from ...core.families.base import FamilySpec
from ...core.places import size_text
from ...core.weights.base_model import BaseModel, locate
from ...core.weights.header import Header
from ...core.weights.hub import cached
from ...core.weights.recognition import Recognition, file_facts, recognise_file
from ...core.weights.recognition_folder import recognise_folder
from ...core.weights.single_file import SingleFile

_PRECISIONS = {"F16": "fp16", "BF16": "bf16", "F32": "fp32", "F64": "fp64"}
_PREDICTIONS = {"epsilon": "predicts noise", "v_prediction": "predicts velocity (v)"}


@dataclass(frozen=True)
class BaseView:
    """A base as far as it was looked at. Texts hold names from files: not yet safe to show."""

    text: str
    """What was looked at, as it stands in the field."""
    title: str = ""
    """Its family or kind, for people; empty when nothing is known."""
    why: str = ""
    """How one can tell."""
    family: str = ""
    """The family's name, when it is one that is trained here."""
    is_base: bool = False
    facts: tuple[str, ...] = ()
    to_download: str = ""
    """The hub id, when it has to be downloaded first."""


def look(text: str, folder: Path) -> BaseView:
    """Look at ``text``, a base as it may stand in a TOML in ``folder``; asks no server. Problems
    are the preflight's to say, so nothing is raised."""
    try:
        return _look(text.strip(), folder)
    except (WizardError, OSError):
        return BaseView(text)


def _look(text: str, folder: Path) -> BaseView:
    if not text:
        return BaseView(text)
    resolved = resolve_base_model(text, folder)
    path = Path(resolved)
    if is_hub_id(resolved):
        found = next(filter(None, (_cached(resolved, spec) for spec in _specs())), None)
        if found is None:
            return BaseView(text, to_download=resolved)
        path = found
    seen = recognise_file(path) if path.is_file() else recognise_folder(path)
    if seen is None:
        return BaseView(text)
    trained = seen.family if seen.family in families.names() else ""
    view = BaseView(text, seen.what, seen.why, trained, seen.is_base)
    return replace(view, facts=tuple(_facts(seen)))


def _specs() -> list[FamilySpec]:
    return [spec for name in families.names() if (spec := families.find(name)).parts]


def _facts(seen: Recognition) -> list[str]:
    """What more can be said, the most telling first."""
    if seen.family in families.names():
        spec = families.find(seen.family)
        try:
            return _facts_of_base(_located(seen.path, spec), spec)
        except (WizardError, OSError):
            pass  # what is wrong with it is said as a problem
    if not seen.header.tensors:
        return []
    facts = file_facts(seen.header)
    precision = _PRECISIONS.get(facts.precision.upper(), facts.precision)
    return [_size(facts.parameters, facts.bytes, precision)]


def _cached(repository: str, spec: FamilySpec) -> Path | None:
    return cached(repository, spec.parts, _may_lack(spec))


def _located(path: Path, spec: FamilySpec) -> BaseModel:
    return locate(str(path), spec.parts, spec.open_file, _may_lack(spec))


def _may_lack(spec: FamilySpec) -> set[str]:
    return {part.folder for part in spec.parts if part.option}


def _facts_of_base(base: BaseModel, spec: FamilySpec) -> list[str]:
    there = [part for part in spec.parts if part.weights and base.has(part.folder)]
    headers = {part.folder: list(base.headers(part)) for part in there}
    everything = [header for part in headers.values() for header in part]
    values = sum(math.prod(t.shape) for header in everything for t in header.tensors.values())
    size = sum(t.end - t.start for header in everything for t in header.tensors.values())
    found = [_size(values, size, _precision(headers.get("unet", everything)))]
    prediction = str(base.config("scheduler", "scheduler_config.json").get("prediction_type", ""))
    found += [_PREDICTIONS.get(prediction or "epsilon", f"predicts {prediction}")]
    if not base.has("vae"):
        found += ["no VAE in it: it needs another"]
    elif isinstance(base, SingleFile):
        found += ["VAE in it"]
    return found


def _precision(headers: list[Header]) -> str:
    counted = Counter[str]()
    for header in headers:
        for tensor in header.tensors.values():
            counted[tensor.dtype] += math.prod(tensor.shape)
    dtype = counted.most_common(1)[0][0] if counted else ""
    return _PRECISIONS.get(dtype, dtype.lower())


def _size(values: int, size: int, precision: str) -> str:
    unit, name = (1e9, "billion") if values >= 1e9 else (1e6, "million")
    return f"{values / unit:.3g} {name} parameters, {size_text(size)} in {precision}"
