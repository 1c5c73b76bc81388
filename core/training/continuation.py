"""Going on from a LoRA that another run, or another trainer, has made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch

from ..config import RunConfig
from ..errors import ProblemsError, WizardError
from ..families import registry as families
from ..networks.base import LayerSize, Network
from ..preflight_base import inspect_base
from ..preflight_lora import look_at_lora
from ..run.job import Job
from ..weights.base_model import file_hash
from ..weights.lora_file import LoraFile
from .checkpoint import State
from .states import NETWORK_WEIGHTS


@dataclass(frozen=True)
class Beginning:
    """What a run begins from. ``sha256`` is the file's that it goes on from, and stays known when
    the run has a state of its own and needs the file no more; empty for a run from nothing."""

    sha256: str = ""
    file: LoraFile | None = None
    layers: Mapping[str, str] = field(default_factory=dict)
    """See `preflight_lora.LoraFindings`."""
    sizes: Mapping[str, LayerSize] = field(default_factory=dict)
    """Of the network's layers that have the file's, by the key in kohya's format."""

    @classmethod
    def of(cls, job: Job, config: RunConfig, standing: State | None) -> Beginning:
        """Raises ProblemsError when the file does not fit; tells what of it is left out."""
        if not config.network.weights:
            return cls()
        if standing:
            sha256 = standing.belongs_to.get(NETWORK_WEIGHTS, "")
            return cls(sha256, sizes=standing.layer_sizes)
        spec = families.find(config.model.family)
        found = look_at_lora(config, spec, inspect_base(config, spec, online=False))
        if not found.file or not found.layers:
            raise ProblemsError("The LoRA to continue does not fit", found.problems)
        for problem in found.problems:
            job.emit(
                "problem",
                severity=problem.severity,
                message=problem.message,
                where=problem.where,
                remedy=problem.remedy,
            )
        sizes = sizes_in(found.file, found.layers) if found.ranks else {}
        return cls(file_hash(found.file.path), found.file, found.layers, sizes)

    def give_to(self, network: Network) -> None:
        """Give ``network`` the file's weights. Raises WizardError when the file has changed since
        it was looked at."""
        if self.file is None:
            return
        path: Path = self.file.path
        try:
            take_over(network, self.file, self.layers)
            changed = file_hash(path) != self.sha256
        except (OSError, safetensors.SafetensorError) as error:
            raise _changed(path, str(error)) from error
        if changed:
            raise _changed(path, "it holds something else")


def take_over(network: Network, file: LoraFile, layers: Mapping[str, str]) -> None:
    """Give ``network`` what ``file`` has for its layers: ``layers`` are the names in the file by
    the keys in kohya's format, as `preflight_lora.look_at_lora` found them. The others stay as they
    are. Whatever the alphas, the network then adds to the base exactly what the file does.

    Raises WizardError when a number of the file is none.
    """
    tensors = network.file_tensors()
    with safetensors.safe_open(file.path, "pt") as content:
        for key, name in layers.items():
            layer = file.layers[name]
            for end, weight in (("down", layer.down), ("up", layer.up)):
                own = f"{key}.lora_{end}.weight"
                tensors[own] = _read(content, file, weight).reshape(tensors[own].shape)
            tensors[f"{key}.alpha"] = torch.tensor(_alpha(content, file, name))
    network.load_file_tensors(tensors)


def sizes_in(file: LoraFile, layers: Mapping[str, str]) -> dict[str, LayerSize]:
    """The rank and alpha of each of ``layers`` (as in `take_over`) in ``file``. Where alpha scales
    the layer away or turns it round, it is the rank: what it adds is the same, in other units.

    Raises WizardError when an alpha is no number.
    """
    found: dict[str, LayerSize] = {}
    with safetensors.safe_open(file.path, "pt") as content:
        for key, name in layers.items():
            rank, alpha = file.layers[name].rank(file.header.tensors), _alpha(content, file, name)
            found[key] = LayerSize(rank, alpha if alpha > 0 else float(rank))
    return found


def _alpha(content: Any, file: LoraFile, name: str) -> float:
    layer = file.layers[name]
    if layer.alpha:
        return float(_read(content, file, layer.alpha).item())
    alpha = file.alpha(name)
    return float(layer.rank(file.header.tensors) if alpha is None else alpha)


def _read(content: Any, file: LoraFile, name: str) -> torch.Tensor:
    tensor = content.get_tensor(name).float()
    if not bool(tensor.isfinite().all()):
        raise WizardError(
            "The LoRA to continue holds numbers that are not finite",
            f"{file.path}: {name} holds NaN or infinity",
            "It was broken when it was saved: take an earlier file of that training.",
        )
    return tensor


def _changed(path: Path, why: str) -> WizardError:
    return WizardError(
        "The LoRA to continue has changed while the run was starting",
        f"{path}: {why}",
        "Start the run again when nothing writes to it any more.",
    )
