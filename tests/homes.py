"""A home in which something has happened: drafts, and runs in all states."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lora_wizard.core.config import RunConfig
from lora_wizard.core.run.directory import RunDirectory
from lora_wizard.core.run.events import EventWriter
from lora_wizard.tui.walk.draft import Draft

HOLD = """
import sys
from pathlib import Path
from lora_wizard.core.run.lock import RunLock
RunLock.take(Path(sys.argv[1])).announce()
print("held", flush=True)
sys.stdin.read()
"""


def make_draft(name: str, *, template: str = "face", step: str = "model", hours: int = 2) -> Draft:
    """A draft that was touched so long ago."""
    draft = Draft.new(template)
    draft.put("output.name", name)
    draft.step = step
    stored = json.loads(draft.path.read_text())
    draft.path.write_text(json.dumps(stored | {"changed": time.time() - 3600 * hours}))
    return draft


def make_run(
    home: Path, name: str, outcome: str, *, steps: int = 0, total: int = 1000, hours: int = 3
) -> RunDirectory:
    """A run with so many steps in its events; ``running`` is a killed one, unless it is held."""
    config = RunConfig.model_validate(
        {
            "model": {"base": "owner/model"},
            "dataset": {"folder": str(home / "pictures")},
            "output": {"folder": str(home / "loras"), "name": name},
        }
    )
    run = RunDirectory.create(config)
    events = EventWriter(run.events_path)
    events.emit("started", what="train", version="0", attempt=1)
    for step in range(1, steps + 1):
        events.emit("step", step=step, total=total, epoch=1, epochs=5, loss=0.5)
    error = {"title": "Out of GPU memory", "message": "at step 12", "remedy": "A smaller batch."}
    run.update(
        outcome=outcome,
        created=time.time() - 3600 * hours,
        attempts=min(steps, 1),
        error=error if outcome == "failed" else None,
    )
    return run


@contextlib.contextmanager
def held(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process holds ``lock``, as a job or another wizard does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
