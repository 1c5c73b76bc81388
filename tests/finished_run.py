"""A finished run as the disk has it, without the training."""

from __future__ import annotations

import json
from pathlib import Path

from lora_wizard.core.config import RunConfig
from lora_wizard.core.files import sha256_of
from lora_wizard.core.run.directory import RunDirectory
from PIL import Image

STEPS = 10
"""Of an epoch."""


def make(
    folder: Path,
    *,
    epochs: int = 3,
    prompts: tuple[str, ...] = ("mika", "a cat"),
    publish_to: str = "",
) -> RunDirectory:
    """Files, pictures and events of ``epochs`` epochs; no job has worked on it."""
    config = RunConfig.model_validate(
        {
            "model": {"base": "embedded:demo"},
            "dataset": {"folder": "embedded:demo/pictures"},
            "captions": {"trigger_words": ["mika"]},
            "training": {"epochs": max(1, epochs)},
            "samples": {"prompts": list(prompts)},
            "output": {"folder": str(folder), "name": "mika", "publish_to": publish_to},
        }
    )
    run = RunDirectory.create(config)
    events = [{"kind": "started", "time": 1.0, "what": "train", "version": "1", "attempt": 1}]
    for epoch in range(epochs + 1):
        step = epoch * STEPS
        for one in range(step - STEPS + 1, step + 1) if epoch else ():
            loss = 0.2 / one
            figures = {"step": one, "total": epochs * STEPS, "epoch": epoch, "loss": loss}
            events.append({"kind": "step", "time": 1.0 + one, **figures})
        for place, prompt in enumerate(prompts, 1):
            path = run.samples_path / f"step{step:08d}-{place:02d}.png"
            Image.new("RGB", (32, 32), (40 * epoch, 80 * place, 120)).save(path)
            facts = {"path": f"samples/{path.name}", "step": step, "epoch": epoch}
            events.append({"kind": "sample", "time": 1.0 + step, "prompt": prompt, **facts})
        if epoch:
            name = "mika.safetensors" if epoch == epochs else f"mika-{epoch:06d}.safetensors"
            (run.path / name).write_bytes(b"weights of epoch %d" % epoch)
            sha256 = sha256_of(run.path / name)
            run.note_files({name: {"step": step, "epoch": epoch, "sha256": sha256, "bytes": 18}})
    run.events_path.write_text("".join(json.dumps(event) + "\n" for event in events))
    run.update(outcome="finished", exit_code=0, attempts=1, created=0.0)
    return run
