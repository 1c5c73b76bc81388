"""What a rehearsal measured, kept for the estimates. No torch."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import RunConfig, configfile
from ..errors import WizardError
from ..files import write_json
from ..hardware import PROCESSOR, gpus
from ..places import state_folder

_KEPT = 8


@dataclass(frozen=True)
class Measured:
    """Times in seconds, memory in bytes; None for what was not measured."""

    per_step: float
    """Of a step of the largest bucket, as the run would take it."""
    per_save: float
    to_start: float
    """Loading, without the pictures' encoding."""
    per_encoding: float | None
    """Of a picture; None when those of the rehearsal were all in the cache."""
    per_drawing: float | None
    """None without sample prompts, or when the memory was too small for one."""
    memory: int | None
    """Highest use of the GPU's memory while training; None without one."""
    drawing_memory: int | None
    memory_there: int | None
    """All that the GPU has."""
    bucket: str
    """The largest, such as ``768x512``."""
    batch_size: int
    """Of the configuration."""
    portion: int
    """Pictures that went through together: fewer than ``batch_size`` when that did not fit."""
    largest_batch: int | None
    """The largest that fits; None without a GPU, where the memory is the machine's."""
    largest_is_bound: bool = False
    """Whether more were not tried."""
    device: str = ""
    """What it was measured on, as in the event ``device``."""

    @property
    def fits(self) -> bool:
        return self.portion >= self.batch_size


def keep(config: RunConfig, measured: Measured) -> None:
    """Keep it for `kept`, and let go the oldest. Raises WriteError."""
    folder, text = _folder(), configfile.dumps(config)
    entry = {"config": text, "measured": asdict(measured), "time": time.time()}
    write_json(folder / f"{_name(config)}.json", entry, durable=False)
    for old in sorted(folder.glob("*.json"), key=_age)[_KEPT:]:
        old.unlink(missing_ok=True)


def of(config: RunConfig) -> Measured | None:
    """What the rehearsal of this very run measured on this machine; None without one. Never
    raises."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, WizardError):
        entry = json.loads((_folder() / f"{_name(config)}.json").read_bytes())
        found = Measured(**entry["measured"])
        here = next((gpu.name for gpu in gpus()), PROCESSOR)
        return found if found.device == here else None
    return None


def _name(config: RunConfig) -> str:
    """The same for runs that differ only in where their files go, which a rehearsal changes."""
    alike = config.model_copy(update={"output": type(config.output)()})
    return hashlib.sha256(configfile.dumps(alike).encode()).hexdigest()[:24]


def kept() -> Iterator[tuple[RunConfig, Measured]]:
    """The rehearsals of this machine, the newest first. Never raises."""
    yield from ((config, measured) for config, measured, _ in rehearsals())


def rehearsals() -> Iterator[tuple[RunConfig, Measured, float]]:
    """As `kept`, each with when it was, in seconds since 1970."""
    with contextlib.suppress(OSError, WizardError):
        for path in sorted(_folder().glob("*.json"), key=_age):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, WizardError):
                entry = json.loads(path.read_bytes())
                config = configfile.loads(entry["config"], path.parent)
                yield config, Measured(**entry["measured"]), float(entry["time"])


def _folder() -> Path:
    return state_folder() / "rehearsals"


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0
