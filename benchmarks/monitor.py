"""What the monitor of a run sends to the terminal, in bytes per second. A run is
pretended: 5 steps a second, from its beginning and from later on, then none.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import pty
import random
import select
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.lock import RunLock

SECONDS = 20.0
STEPS_PER_SECOND = 5.0
TARGET = 30_000
SIZES = ((80, 24), (120, 40))
TOTAL = 6000


def pretended(folder: Path) -> RunDirectory:
    """A run directory in ``folder``."""
    config = RunConfig.model_validate(
        {
            "model": {"base": "owner/model"},
            "dataset": {"folder": str(folder / "pictures")},
            "output": {"folder": str(folder / "runs"), "name": "pretended"},
        }
    )
    return RunDirectory.create(config)


def step_event(step: int) -> dict[str, object]:
    """What a job would say."""
    loss = 0.1 + 0.2 * math.exp(-step / 400) + random.gauss(0, 0.03)
    rates = {"unet": 1e-4, "text_encoder": 5e-5}
    return {
        "kind": "step", "time": time.time(), "step": step, "total": TOTAL, "loss": loss,
        "epoch": step * 10 // TOTAL + 1, "epochs": 10, "learning_rates": rates, "memory": 6 << 30,
    }  # fmt: skip


def append(path: Path, text: str) -> None:
    """A line more."""
    with path.open("a") as file:
        file.write(text + "\n")


def trains(run: RunDirectory, first: int, until: threading.Event) -> None:
    """Make steps until told otherwise."""
    step = first
    while not until.wait(1 / STEPS_PER_SECOND):
        step += 1
        append(run.events_path, json.dumps(step_event(step)))
        if step % 25 == 0:
            append(run.log_path, f"2026-01-02 03:04:05 step {step}/{TOTAL} loss 0.1234")


def sent(descriptor: int, seconds: float) -> int:
    """How many bytes come within a time."""
    count, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([descriptor], [], [], left)[0]:
            with contextlib.suppress(OSError):
                count += len(os.read(descriptor, 1 << 16))
    return count


def measure(size: tuple[int, int], first: int) -> tuple[float, float]:
    """Bytes per second while a run makes its steps after ``first``, and while it rests."""
    folder = Path(tempfile.mkdtemp(prefix="monitor"))
    run = pretended(folder)
    run.update(outcome="running", attempts=1)
    for step in range(1, first + 1):
        append(run.events_path, json.dumps(step_event(step)))
    append(run.events_path, json.dumps({"kind": "phase", "phase": "train", "total": TOTAL}))
    lock = RunLock.take(run.lock_path)
    lock.announce()
    pid, descriptor = pty.fork()
    if pid == 0:
        # Before the wizard looks: a change of size is a message on the screen.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = ["-m", "lora_wizard.tui.cli", "attach", str(run.path), "--images", "half"]
        os.execv(sys.executable, [sys.executable, *command])
    ended = threading.Event()
    trainer = threading.Thread(target=trains, args=(run, first, ended))
    trainer.start()
    sent(descriptor, 5.0)
    training = sent(descriptor, SECONDS) / SECONDS
    ended.set()
    trainer.join()
    sent(descriptor, 3.0)
    idle = sent(descriptor, 5.0) / 5.0
    os.write(descriptor, b"d")
    sent(descriptor, 1.0)
    os.close(descriptor)
    os.waitpid(pid, 0)
    lock.release()
    return training, idle


def main() -> int:
    """Measure and print; 1 when it is too much."""
    worst = 0.0
    for size in SIZES:
        for first in (0, 1000):
            training, idle = measure(size, first)
            worst = max(worst, training, idle * 1e9)
            print(
                f"{size[0]}x{size[1]} after step {first:>5}: {training / 1000:6.2f} KB/s training, "
                f"{idle:.0f} B/s when nothing happens"
            )
    return int(worst > TARGET)


if __name__ == "__main__":
    sys.exit(main())
