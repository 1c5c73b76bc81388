"""How each side is told to do the same work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import RunDirectory
from peer_material import Material

RANK, SEED, LIMIT_SECONDS = 8, 42, 3000
PROBE = Path(__file__).with_name("peer_probe.py")


@dataclass(frozen=True)
class Case:
    """One work: ``side`` pixels, so many pictures in a step, so many steps."""

    side: int
    batch: int
    steps: int
    text_encoder: bool = False
    precision: str = "fp32"


@dataclass
class Side:
    """A trainer. ``cold`` runs begin with an empty cache."""

    name: str
    material: Material
    work: Path
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    caches = True
    """Whether there is a cache that can be cold."""
    trains_text_encoder = True

    def command(self, case: Case) -> Sequence[str]:
        raise NotImplementedError

    def forget(self) -> None:
        """Empty the cache."""

    def run(self, case: Case, *, cold: bool) -> dict[str, Any]:
        """What `peer_probe` wrote. Raises RuntimeError with the last lines of what it said."""
        if cold:
            self.forget()
        return probe(self.python, self.command(case), self.work, self.environment)


class Ours(Side):
    """lora-wizard's training job, as `lora-wizard train` starts it."""

    def command(self, case: Case) -> Sequence[str]:
        learning = {} if case.text_encoder else {"text_encoder_learning_rate": "off"}
        config = RunConfig.model_validate(
            {
                "model": {
                    "base": str(self.material.base),
                    "family": "sd1",
                    "precision": case.precision,
                },
                "dataset": {
                    "folder": str(self.material.folders),
                    "resolution": case.side,
                    "bucket_step": 64,
                    "bucket_min_side": 64,
                },
                "training": {
                    "epochs": 100_000,
                    "max_steps": case.steps,
                    "batch_size": case.batch,
                    "seed": SEED,
                },
                "network": {"rank": RANK, "alpha": float(RANK)},
                "optimizer": {"learning_rate": 1e-4, **learning},
                "output": {
                    "folder": str(self.work / "runs"),
                    "name": "ours",
                    "save_every_epochs": 0,
                },
            }
        )
        directory = RunDirectory.create(config)
        return ["-m", "lora_wizard.core.training", str(directory.path)]

    def forget(self) -> None:
        shutil.rmtree(self.work / "cache" / "lora-wizard", ignore_errors=True)


class Diffusers(Side):
    """train_text_to_image_lora.py: attention layers only, square crops, nothing cached."""

    caches = False
    trains_text_encoder = False

    def __init__(self, script: Path, **rest: Any) -> None:
        super().__init__("diffusers", **rest)
        self._script = script

    def command(self, case: Case) -> Sequence[str]:
        told = {
            "pretrained_model_name_or_path": self.material.base,
            "train_data_dir": self.material.listed,
            "caption_column": "text",
            "resolution": case.side,
            "train_batch_size": case.batch,
            "max_train_steps": case.steps,
            "rank": RANK,
            "seed": SEED,
            "checkpointing_steps": 1_000_000,
            "validation_epochs": 1_000_000,
            "lr_warmup_steps": 0,
            "mixed_precision": "no" if case.precision == "fp32" else case.precision,
            "output_dir": self.work / "diffusers",
            "cache_dir": self.work / "datasets",
        }
        return [str(self._script), *_told(told)]


class SdScripts(Side):
    """train_network.py with its latents cached on the disk."""

    def __init__(self, checkout: Path, **rest: Any) -> None:
        super().__init__("sd-scripts", **rest)
        self._checkout = checkout
        widths = ",".join(map(str, self.material.widths))
        self.environment = {**self.environment, "SD_CHANNELS": widths}

    def command(self, case: Case) -> Sequence[str]:
        told = {
            "pretrained_model_name_or_path": self.material.base,
            "tokenizer_cache_dir": self.material.tokenizers,
            "train_data_dir": self.material.folders,
            "resolution": f"{case.side},{case.side}",
            "bucket_reso_steps": 64,
            "min_bucket_reso": 64,
            "max_bucket_reso": 2 * case.side,
            "train_batch_size": case.batch,
            "max_train_steps": case.steps,
            "network_module": "networks.lora",
            "network_dim": RANK,
            "network_alpha": RANK,
            "learning_rate": 1e-4,
            "optimizer_type": "AdamW",
            "mixed_precision": "no" if case.precision == "fp32" else case.precision,
            "caption_extension": ".txt",
            "max_data_loader_n_workers": 0,
            "seed": SEED,
            "output_dir": self.work / "sd-scripts",
            "output_name": "theirs",
        }
        flags = ["--enable_bucket", "--cache_latents", "--cache_latents_to_disk", "--sdpa"]
        if not case.text_encoder:
            flags.append("--network_train_unet_only")
        return [str(self._checkout / "train_network.py"), *_told(told), *flags]

    def forget(self) -> None:
        for entry in self.material.folders.rglob("*.npz"):
            entry.unlink()


def bare_imports(work: Path) -> float:
    """CPU-seconds of `import torch, diffusers, peft` in a process of its own."""
    return float(probe(sys.executable, ["--bare"], work, {})["first"])


def probe(
    python: str, command: Sequence[str], work: Path, environment: Mapping[str, str]
) -> dict[str, Any]:
    result = work / "probe.json"
    result.unlink(missing_ok=True)
    told = {
        **os.environ,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "HOME": str(work),
        "XDG_CACHE_HOME": str(work / "cache"),
        "XDG_STATE_HOME": str(work / "state"),
        "HF_HUB_OFFLINE": "1",
        **environment,
    }
    done = subprocess.run(
        [python, str(PROBE), str(result), *command],
        env=told,
        cwd=work,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode or not result.exists():
        raise RuntimeError(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-3000:]}")
    return json.loads(result.read_text())


def _told(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
