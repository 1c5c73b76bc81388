"""Run directories with a prepared past, for whatever shows runs."""

from __future__ import annotations

import contextlib
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import Outcome, RunDirectory
from lora_wizard.core.run.lock import RunLock
from lora_wizard.core.run.saved_states import MANIFEST, state_name
from PIL import Image, ImageDraw

TOTAL, EPOCHS = 1200, 10
PROMPTS = ("ohwx, a photo of a cat on a beach", "a dog in the snow")


class PreparedRun:
    """A run whose events are written by hand. ``live`` holds its lock, as its job would."""

    def __init__(self, folder: Path, name: str = "mika") -> None:
        config = RunConfig.model_validate(
            {
                "model": {"base": "owner/model"},
                "dataset": {"folder": str(folder / "pictures")},
                "output": {"folder": str(folder / "output"), "name": name},
            }
        )
        self.directory = RunDirectory.create(config)
        # Up to now, and into the future: a run that has just been heard of.
        self._clock = time.time()
        self._random = random.Random(7)

    @contextlib.contextmanager
    def live(self) -> Iterator[None]:
        """While it lasts, a job seems to work in the run."""
        self.directory.update(outcome="running", attempts=1, pid=1)
        lock = RunLock.take(self.directory.lock_path)
        lock.announce()
        try:
            yield
        finally:
            lock.release()

    def end(self, outcome: Outcome, code: int, error: dict[str, str] | None = None) -> None:
        """Write how it ended."""
        self.emit("failed" if outcome == "failed" else outcome, **(error or {}))
        self.directory.update(outcome=outcome, attempts=1, exit_code=code, error=error)

    def emit(self, kind: str, **fields: Any) -> None:
        """Append an event, half a second after the last one."""
        self._clock += 0.5
        event = {"kind": kind, "time": self._clock, **fields}
        with self.directory.events_path.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def log(self, *lines: str) -> None:
        """Append lines to the log."""
        with self.directory.log_path.open("a") as file:
            file.writelines(f"2026-01-02 03:04:05 {line}\n" for line in lines)

    def train(self, first: int, last: int) -> None:
        """Steps, with a file and pictures at the end of each epoch."""
        if first == 1:
            self.emit("started", what="train", version="1", attempt=1)
            self.sample(0, 0)
        self.emit("phase", phase="train", total=TOTAL)
        self.log(f"training ({TOTAL})")
        for step in range(first, last + 1):
            epoch = (step - 1) * EPOCHS // TOTAL + 1
            loss = 0.12 + 0.2 * math.exp(-step / 250) + self._random.gauss(0, 0.03)
            rates = {"unet": 1e-4, "text_encoder": 5e-5}
            self.emit(
                "step", step=step, total=TOTAL, epoch=epoch, epochs=EPOCHS, loss=loss,
                learning_rates=rates, memory=int(6.25 * 2**30),
            )  # fmt: skip
            if step * EPOCHS % TOTAL == 0:
                self.log(f"step {step}/{TOTAL} loss {loss:.4f}")
                self.save(step, epoch)
                self.sample(step, epoch)

    def save(self, step: int, epoch: int, name: str = "") -> None:
        """A finished file."""
        name = name or f"{self.directory.name}-{epoch:06d}.safetensors"
        (self.directory.path / name).write_bytes(b"weights")
        state = self.directory.state_path / state_name(step)
        state.mkdir(parents=True, exist_ok=True)
        (state / MANIFEST).write_text("{}")
        self.emit("saved", path=name, step=step, epoch=epoch, sha256="0" * 64, bytes=7)
        self.log(f"saved {name}")

    def sample(self, step: int, epoch: int) -> None:
        """A picture of each prompt, which changes with the steps."""
        for at, prompt in enumerate(PROMPTS, 1):
            path = self.directory.samples_path / f"step{step:08d}-{at:02d}.png"
            share = step / TOTAL
            picture = Image.new("RGB", (64, 64), (40, int(60 + 120 * share), 160))
            draw = ImageDraw.Draw(picture)
            size = 6 + 20 * share
            shape = (32 - size, 32 - size, 32 + size, 32 + size)
            fill = (250, int(80 + 150 * share), 40)
            draw.ellipse(shape, fill) if at == 1 else draw.rectangle(shape, fill)
            picture.save(path)
            relative = str(path.relative_to(self.directory.path))
            self.emit("sample", path=relative, step=step, epoch=epoch, prompt=prompt, seed=42)
            self.log(f"drew {relative}")
