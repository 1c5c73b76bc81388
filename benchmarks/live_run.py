"""A run that only its files know of: for the screens that watch one."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lora_wizard.core.config import configfile
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.lock import RunLock
from lora_wizard.core.templates import filled, find
from PIL import Image

STEPS_PER_SECOND, TOTAL, PICTURES_EVERY = 5, 2000, 25


@contextlib.contextmanager
def training(home: Path, first: int = TOTAL // 2) -> Iterator[RunDirectory]:
    """A run that is alive as far as its files say: held, and with steps after ``first``."""
    config = configfile.load(demo_toml(home))
    run, ends = RunDirectory.create(config), threading.Event()
    run.update(outcome="running", attempts=1, pid=os.getpid())
    lock = RunLock.take(run.lock_path)
    lock.announce()
    begun = time.time() - first / STEPS_PER_SECOND
    chance, pictures = random.Random(7), some_pictures()

    def emit(kind: str, when: float, **fields: object) -> None:
        with run.events_path.open("a") as file:
            file.write(json.dumps({"kind": kind, "time": when, **fields}) + "\n")

    def step(number: int, when: float) -> None:
        loss = 0.12 + 0.2 * math.exp(-number / 250) + chance.gauss(0, 0.03)
        rates = {"unet": 1e-4, "text_encoder": 5e-5}
        emit(
            "step", when, step=number, total=TOTAL, epoch=number * 10 // TOTAL + 1, epochs=10,
            loss=loss, learning_rates=rates, memory=6 * 2**30,
        )  # fmt: skip
        if number % PICTURES_EVERY == 0:
            draw(number, when)
        if number % (TOTAL // 10) == 0:
            save(number, when)

    def draw(number: int, when: float) -> None:
        for at, prompt in enumerate(("a cat on a beach", "a dog in the snow"), 1):
            path = run.samples_path / f"step{number:08d}-{at:02d}.png"
            path.write_bytes(pictures[(number // PICTURES_EVERY + at) % len(pictures)])
            emit(
                "sample", when, path=f"samples/{path.name}", step=number,
                epoch=number * 10 // TOTAL, prompt=prompt, seed=42,
            )  # fmt: skip

    def save(number: int, when: float) -> None:
        name = f"step{number:08d}.safetensors"
        (run.path / name).write_bytes(b"weights")
        emit(
            "saved", when, path=name, step=number, epoch=number * 10 // TOTAL, sha256="0" * 64,
            bytes=7,
        )  # fmt: skip

    def live() -> None:
        number = first
        while not ends.wait(1 / STEPS_PER_SECOND):
            number += 1
            step(number, time.time())

    emit("started", begun, what="train", version="1", attempt=1)
    emit("phase", begun, phase="train", total=TOTAL)
    for number in range(1, first + 1):
        step(number, begun + number / STEPS_PER_SECOND)
    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield run
    finally:
        ends.set()
        thread.join()
        lock.release()


@functools.cache
def some_pictures() -> list[bytes]:
    """PNG files, made before anything is measured: to draw takes the processor."""
    files = [io.BytesIO() for _ in range(8)]
    for at, file in enumerate(files):
        Image.effect_noise((512, 512), 40 + 8 * at).convert("RGB").save(file, "PNG")
    return [file.getvalue() for file in files]


def demo_toml(home: Path) -> Path:
    path = home / "demo.toml"
    path.write_text(filled(find("demo"), {"output.folder": str(home / "output")}))
    return path
