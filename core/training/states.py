"""Saving and taking up a run's state."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ..config import RunConfig
from ..errors import WizardError
from ..networks.base import Network
from ..optimizers import state as optimizer_state
from ..run.directory import wizard_version
from ..run.job import Job
from . import checkpoint, manifest
from .cache import arithmetic

_DATASET = "dataset.json"


@dataclass(frozen=True)
class Origin:
    """What a run was begun with, and what its exactness depends on."""

    belongs_to: dict[str, str]
    """Hashes of configuration, dataset and base model."""
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
        text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
        belongs_to = {
            "config": hashlib.sha256(text.encode()).hexdigest(),
            "dataset": manifest.digest(dataset),
            "base_model": base_hash,
        }
        facts = {"lora-wizard": wizard_version(), **arithmetic(device)}
        return cls(belongs_to, {name: str(value) for name, value in facts.items()}, dataset)


class States:
    """The states of one run: what the network, the optimizer and the scaler are at a step."""

    def __init__(
        self,
        job: Job,
        origin: Origin,
        network: Network,
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler | None,
    ) -> None:
        self._job, self._origin = job, origin
        self._network, self._optimizer, self._scaler = network, optimizer, scaler
        self._folder: Path = job.directory.state_path
        self._saved = -1

    def save(self, step: int, samples_seen: int) -> None:
        """Save the state at ``step``, once. Raises WriteError."""
        if self._saved == step:
            return
        tensors, scalars = optimizer_state.dump(self._optimizer)
        state = checkpoint.State(
            step=step,
            samples_seen=samples_seen,
            network=self._network.state_dict(),
            optimizer_tensors=tensors,
            optimizer_scalars=scalars,
            scaler=self._scaler.state_dict() if self._scaler else None,
            belongs_to=self._origin.belongs_to,
            environment=self._origin.environment,
        )
        checkpoint.save(self._folder, state)
        self._saved = step

    def take_up(self) -> tuple[int, int]:
        """Go on where the newest whole state stands; (steps done, samples seen), (0, 0) for a run
        that has none yet.

        Raises WizardError when the configuration, the dataset or the base model is another.
        """
        state = checkpoint.newest(self._folder, self._report_damage)
        if state is None:
            manifest.keep(self._folder / _DATASET, self._origin.dataset)
            return 0, 0
        self._check_origin(state)
        self._network.load_state_dict(state.network)
        optimizer_state.restore(
            self._optimizer, dict(state.optimizer_tensors), dict(state.optimizer_scalars)
        )
        if self._scaler and state.scaler:
            self._scaler.load_state_dict(dict(state.scaler))
        self._saved = state.step
        return state.step, state.samples_seen

    def _check_origin(self, state: checkpoint.State) -> None:
        now = self._origin.belongs_to
        if state.belongs_to["dataset"] != now["dataset"]:
            manifest.check_unchanged(self._folder / _DATASET, self._origin.dataset)
        for name, title in (
            ("dataset", "The dataset has changed since this run began"),
            ("base_model", "The base model has changed since this run began"),
            ("config", "The run's configuration has changed since this run began"),
        ):
            if state.belongs_to[name] != now[name]:
                raise WizardError(
                    title,
                    f"The state of step {state.step} belongs to another one.",
                    "Undo the change to resume, or start a new run from the TOML. The files of "
                    "this run stay as they are.",
                )
        environment = self._origin.environment
        changed = [name for name in environment if state.environment.get(name) != environment[name]]
        if changed:
            before = ", ".join(f"{name} {state.environment.get(name)}" for name in changed)
            after = ", ".join(f"{name} {environment[name]}" for name in changed)
            self._job.emit(
                "problem",
                severity="warning",
                message=f"this run began with {before} and goes on with {after}: the result will "
                "be as good, but not the same to the last bit",
            )

    def _report_damage(self, place: Path, why: str) -> None:
        self._job.emit(
            "problem",
            severity="warning",
            message=f"the state {place.name} was passed over: {why}",
            where=str(place),
        )
