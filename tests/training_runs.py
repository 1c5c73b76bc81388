"""Runs for the tests of training: a few small pictures, a toy base, a run directory, a job."""

from __future__ import annotations

import colorsys
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from lora_wizard.core.config import RunConfig
from lora_wizard.core.dataset.plan import Window
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.job import Job, run_job
from lora_wizard.core.training.__main__ import train
from lora_wizard.core.training.preparation import prepare
from lora_wizard.core.training.trainer import Trainer
from PIL import Image, ImageDraw

SIZES = ((32, 32), (48, 32), (32, 48))


def draw_pictures(folder: Path, count: int = 6, word: str = "mika") -> Path:
    """Pictures of a blob in three shapes, each with its caption."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        width, height = SIZES[index % len(SIZES)]
        shade = colorsys.hsv_to_rgb(index / count, 0.8, 0.9)
        colour = (int(shade[0] * 255), int(shade[1] * 255), int(shade[2] * 255))
        picture = Image.new("RGB", (width, height), colour)
        draw = ImageDraw.Draw(picture)
        draw.ellipse((8, 8 + index, 20, 22 + index), fill=(250, 240, 20))
        picture.save(folder / f"{index:02d}.png")
        (folder / f"{index:02d}.txt").write_text(f"{word} number {index}")
    return folder


def toy_config(pictures: Path, runs: Path, **sections: dict[str, Any]) -> RunConfig:
    """A short run of the toy family; ``sections`` change keys of the TOML's tables."""
    values: dict[str, dict[str, Any]] = {
        "model": {"base": "toys/flow", "family": "toy_flow", "precision": "fp32"},
        "dataset": {"folder": str(pictures), "bucket_step": 8},
        "training": {"epochs": 2, "batch_size": 2},
        "network": {"rank": 4},
        "optimizer": {"learning_rate": 1e-2},
        "samples": {"prompts": ["mika", "a cat --d 7"], "steps": 2},
        "output": {"folder": str(runs), "name": "toy"},
    }
    for section, changes in sections.items():
        values[section] = {**values.get(section, {}), **changes}
    return RunConfig.model_validate(values)


def sd_config(base: Path, pictures: Path, runs: Path, **sections: dict[str, Any]) -> RunConfig:
    """The same with the tiny Stable Diffusion of `tiny_sd`."""
    values: dict[str, dict[str, Any]] = {
        "model": {"base": str(base), "family": "sd1"},
        "dataset": {"resolution": 32, "bucket_step": 8},
    }
    for section, changes in sections.items():
        values[section] = {**values.get(section, {}), **changes}
    return toy_config(pictures, runs, **values)


def start(config: RunConfig, work: Callable[[Job], None] = train) -> RunDirectory:
    """Do a run to its end in this process, and check that it came there."""
    directory = RunDirectory.create(config)
    assert run_job(directory.path, work) == 0, directory.log_path.read_text()
    return directory


def events(directory: RunDirectory, kind: str) -> list[dict[str, Any]]:
    """The events of one kind, in their order."""
    lines = [json.loads(line) for line in directory.events_path.read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def files(directory: RunDirectory) -> dict[str, bytes]:
    """The finished files by name."""
    return {path.name: path.read_bytes() for path in sorted(directory.path.glob("*.safetensors"))}


def examine(config: RunConfig, look: Callable[[Trainer], None]) -> RunDirectory:
    """A run that is prepared, and then looked at instead of trained."""
    return start(config, lambda job: look(prepare(job)))


def stopping_after(
    steps: Collection[int] | None = None,
    change: Callable[[Trainer], object] = lambda trainer: None,
) -> Callable[[Job], None]:
    """The work of a run that is asked to stop, by its control folder, as these steps end; without
    ``steps`` as each does. ``change`` has its trainer before it begins."""

    def work(job: Job) -> None:
        trainer = prepare(job)
        change(trainer)
        tell = trainer.tell

        def told(epoch: int, loss: float, gradient_norm: float) -> None:
            tell(epoch, loss, gradient_norm)
            if steps is None or trainer.step in steps:
                (job.directory.control_path / "stop").touch()

        trainer.tell = told
        trainer.train()

    return work


def whole_epoch(trainer: Trainer) -> Window:
    return tuple(batch for _, window in trainer.windows_left() for batch in window)
