"""The state of a run at the end of a step: all that a resume needs, without pickle.

``state/step-00000123/`` holds the network and the optimizer as safetensors, and ``state.json``,
written last, with everything else and the SHA-256 of the others. A folder without it is a save that
a crash cut short; a folder that does not agree with it is damaged. Neither is ever used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ..files import WriteError, sha256_of, write_bytes, write_json
from ..networks.base import LayerSize
from ..run.saved_states import MANIFEST, state_name, states

FORMAT = 1
KEPT_STATES = 2
_NETWORK = "network.safetensors"
_OPTIMIZER = "optimizer.safetensors"
_AVERAGE = "average.safetensors"

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class State:
    """A run at the end of ``step`` optimizer steps (0: before the first)."""

    step: int
    samples_seen: int
    network: Mapping[str, torch.Tensor]
    """fp32, whatever the precision of training."""
    optimizer_tensors: Mapping[str, torch.Tensor]
    optimizer_scalars: Mapping[str, Any]
    scaler: Mapping[str, Any] | None
    """The gradient scaler of fp16."""
    belongs_to: Mapping[str, str]
    """Hashes of the configuration, the dataset and the base model."""
    counters: Mapping[str, Any]
    """What else the loop has to know of the steps before: whole numbers, None, words."""
    environment: Mapping[str, str]
    """Versions, device and threads: what exactness depends on."""
    average: Mapping[str, torch.Tensor] | None = None
    """The network's weights averaged over the steps, where that is asked for."""
    layer_sizes: Mapping[str, LayerSize] = field(default_factory=dict)
    """Of layers of a size of their own: see `networks.base.Network.own_sizes`."""


def save(folder: Path, state: State) -> Path:
    """Write ``state`` below ``folder`` (a run's ``state/``), check it, and only then remove all but
    the newest `KEPT_STATES`. Returns the state's own folder. Raises WriteError."""
    place = folder / state_name(state.step)
    if problem_of(place) is not None:
        _remove(place)
        _write(place, state)
    problem = problem_of(place)
    if problem is not None:
        raise WriteError(
            "The run's state was found damaged right after it was written",
            f"{place}: {problem}",
            "The disk or file system is faulty. The state before stands: copy the run to another "
            "disk and resume it there.",
        )
    _prune(folder, state.step)
    return place


def newest(folder: Path, report: Callable[[Path, str], None]) -> State | None:
    """The newest whole state below ``folder``; None when there is none. ``report(folder, why)`` is
    called for each damaged one on the way, but not for unfinished saves: those are normal after a
    kill."""
    for _, place in sorted(states(folder), reverse=True):
        problem = problem_of(place)
        if problem is None:
            return _read(place)
        if (place / MANIFEST).exists():
            report(place, problem)
    return None


def problem_of(place: Path) -> str | None:
    """What is wrong with the state in ``place``; None when it is whole."""
    try:
        manifest = json.loads((place / MANIFEST).read_text("utf-8"))
        if manifest.pop("digest") != _digest(manifest):
            return f"{MANIFEST} is damaged"
        if manifest["format"] != FORMAT:
            return f"it was written by another version (format {manifest['format']})"
        for name, expected in manifest["files"].items():
            if sha256_of(place / name) != expected:
                return f"{name} is damaged"
    except OSError as error:
        return f"{Path(error.filename or place).name}: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} is damaged"
    return None


def _write(place: Path, state: State) -> None:
    contents = {_NETWORK: state.network, _OPTIMIZER: state.optimizer_tensors}
    if state.average is not None:
        contents[_AVERAGE] = state.average
    hashes = {
        name: write_bytes(place / name, safetensors.torch.save(_on_cpu(tensors)))
        for name, tensors in contents.items()
    }
    manifest = {
        "format": FORMAT,
        "step": state.step,
        "samples_seen": state.samples_seen,
        "counters": dict(state.counters),
        "belongs_to": dict(state.belongs_to),
        "environment": dict(state.environment),
        "optimizer": dict(state.optimizer_scalars),
        "scaler": dict(state.scaler) if state.scaler is not None else None,
        "files": hashes,
    }
    if state.layer_sizes:
        manifest["layer_sizes"] = {k: [s.rank, s.alpha] for k, s in state.layer_sizes.items()}
    write_json(place / MANIFEST, {**manifest, "digest": _digest(manifest)})


def _read(place: Path) -> State:
    manifest = json.loads((place / MANIFEST).read_text("utf-8"))
    averaged = _AVERAGE in manifest["files"]
    return State(
        step=manifest["step"],
        samples_seen=manifest["samples_seen"],
        # Not there in states of versions before 0.2.
        counters=manifest.get("counters", {}),
        network=safetensors.torch.load((place / _NETWORK).read_bytes()),
        optimizer_tensors=safetensors.torch.load((place / _OPTIMIZER).read_bytes()),
        optimizer_scalars=manifest["optimizer"],
        scaler=manifest["scaler"],
        belongs_to=manifest["belongs_to"],
        environment=manifest["environment"],
        average=safetensors.torch.load((place / _AVERAGE).read_bytes()) if averaged else None,
        layer_sizes={k: LayerSize(*size) for k, size in manifest.get("layer_sizes", {}).items()},
    )


def _prune(folder: Path, step: int) -> None:
    older = sorted((pair for pair in states(folder) if pair[0] < step), reverse=True)
    for _, place in older[KEPT_STATES - 1 :]:
        _remove(place)


def _remove(place: Path) -> None:
    """The manifest goes first: what a kill leaves of the folder is then an unfinished save."""
    if not place.is_dir():
        return
    for file in sorted(place.iterdir(), key=lambda file: file.name != MANIFEST):
        with contextlib.suppress(OSError):
            file.unlink()
    with contextlib.suppress(OSError):
        place.rmdir()


def _on_cpu(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _digest(manifest: Mapping[str, Any]) -> str:
    # sort_keys: JSON read back has its own order, and the digest must not depend on it.
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
