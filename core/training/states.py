"""Saving and taking up a run's state."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..config import RunConfig
from ..networks.base import Network
from ..optimizers import state as optimizer_state
from ..run.directory import wizard_version
from ..run.job import Job
from . import checkpoint, manifest
from .cache import arithmetic
from .ema import MovingAverage
from .setbacks import finite

NETWORK_WEIGHTS = "network_weights"
_DATASET = "dataset.json"


@dataclass(frozen=True)
class Origin:
    """What a run was begun with, and what its exactness depends on."""

    belongs_to: dict[str, str]
    """Hashes of configuration, dataset, base model, and of a LoRA that it went on from."""
    environment: dict[str, str]
    dataset: manifest.Manifest

    @classmethod
    def of(
        cls,
        config: RunConfig,
        dataset: manifest.Manifest,
        base_hash: str,
        device: torch.device,
    ) -> Origin:
        # What the run's TOML says: an option that a later version adds is no change of the run.
        text = json.dumps(config.model_dump(mode="json", exclude_unset=True), sort_keys=True)
        belongs_to = {
            "config": hashlib.sha256(text.encode()).hexdigest(),
            "dataset": manifest.digest(dataset),
            "base_model": base_hash,
        }
        facts = {"lora-wizard": wizard_version(), **arithmetic(device)}
        return cls(belongs_to, {name: str(value) for name, value in facts.items()}, dataset)

    def going_on_from(self, sha256: str) -> Origin:
        """With the hash of the LoRA that the run began from, if it did."""
        if not sha256:
            return self
        return replace(self, belongs_to={**self.belongs_to, NETWORK_WEIGHTS: sha256})


class States:
    """The states of one run: what the network, its average, the optimizer and the scaler are at a
    step."""

    def __init__(
        self,
        job: Job,
        origin: Origin,
        standing: checkpoint.State | None,
        network: Network,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler | None,
        average: MovingAverage | None = None,
    ) -> None:
        """``standing``: what `find` found."""
        self._origin, self._standing = origin, standing
        self._network, self._optimizer, self._scaler = network, optimizer, scaler
        self._average = average
        self._folder: Path = job.directory.state_path
        self._deadline = job.deadline
        self._saved = -1

    def save(self, step: int, samples_seen: int, counters: Mapping[str, Any]) -> None:
        """Save the state at ``step``, once. Raises WriteError, and NotFiniteError rather than keep
        weights that are no numbers."""
        if self._saved == step:
            return
        tensors, scalars = optimizer_state.dump(self._optimizer)
        state = checkpoint.State(
            step=step,
            samples_seen=samples_seen,
            counters=counters,
            network=finite(self._network.state_dict()),
            optimizer_tensors=tensors,
            optimizer_scalars=scalars,
            scaler=self._scaler.state_dict() if self._scaler else None,
            belongs_to=self._origin.belongs_to,
            environment=self._origin.environment,
            average=finite(self._average.state_dict()) if self._average else None,
            layer_sizes=self._network.own_sizes,
        )
        began = time.monotonic()
        checkpoint.save(self._folder, state)
        self._deadline.wrote_state(time.monotonic() - began)
        self._saved = step

    def take_up(self) -> tuple[int, int, Mapping[str, Any]]:
        """Go on where the run stands; (steps done, samples seen, counters), (0, 0, {}) at its
        beginning."""
        state, self._standing = self._standing, None
        if state is None:
            return 0, 0, {}
        self._network.load_state_dict(state.network)
        optimizer_state.restore(
            self._optimizer, dict(state.optimizer_tensors), dict(state.optimizer_scalars)
        )
        if self._scaler and state.scaler:
            self._scaler.load_state_dict(dict(state.scaler))
        if self._average and state.average is not None:
            self._average.load_state_dict(state.average)
        self._saved = state.step
        return state.step, state.samples_seen, state.counters


def find(job: Job, origin: Origin) -> checkpoint.State | None:
    """The newest whole state of a run; None for a run that has none yet, whose dataset is then
    noted.

    Raises ChangedError when the configuration, the dataset or the base model is another.
    """

    def report(place: Path, why: str) -> None:
        message = f"the state {place.name} was passed over: {why}"
        job.emit("problem", severity="warning", message=message, where=str(place))

    folder = job.directory.state_path
    state = checkpoint.newest(folder, report)
    if state is None:
        manifest.keep(folder / _DATASET, origin.dataset)
        if job.directory.record().attempts > 1:
            job.emit("going_on", step=0)
        return None
    _check_origin(state, origin, folder)
    if message := _inexactness(state, origin):
        job.emit("problem", severity="warning", message=message)
    job.emit("going_on", step=state.step)
    return state


def _check_origin(state: checkpoint.State, origin: Origin, folder: Path) -> None:
    if state.belongs_to["dataset"] != origin.belongs_to["dataset"]:
        manifest.check_unchanged(folder / _DATASET, origin.dataset)
    for name, what in (
        ("dataset", "dataset"),
        ("base_model", "base model"),
        ("config", "run's configuration"),
    ):
        if state.belongs_to[name] != origin.belongs_to[name]:
            raise manifest.ChangedError(
                f"The {what} has changed since this run began",
                f"The state of step {state.step} belongs to another one.",
                "Undo the change to resume, or start a new run from the TOML. The files of "
                "this run stay as they are.",
            )


def _inexactness(state: checkpoint.State, origin: Origin) -> str:
    """Why the result will not be that of an uninterrupted run to the last bit; "" if it will."""
    now = origin.environment
    changed = [name for name in now if state.environment.get(name) != now[name]]
    if not changed:
        return ""
    before = ", ".join(f"{name} {state.environment.get(name)}" for name in changed)
    after = ", ".join(f"{name} {now[name]}" for name in changed)
    return (
        f"this run began with {before} and goes on with {after}: the result will be as good, but "
        "not the same to the last bit"
    )
