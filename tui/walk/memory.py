"""What the wizard remembers from one time to the next: the theme and the TOMLs it has opened."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ...core.errors import WizardError
from ...core.files import write_json
from ...core.run import registry

RECENT = 12


@dataclass(frozen=True)
class Memory:
    """One small file in the state folder. A convenience: it may be lost or read-only."""

    theme: str = ""
    """The one that was chosen; empty for the default."""
    tomls: tuple[str, ...] = field(default=())
    """Absolute paths, the last opened or saved first."""


def recall() -> Memory:
    """What is remembered; nothing when the file is damaged."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        stored = json.loads(_path().read_bytes())
        return Memory(
            theme=str(stored.get("theme", "")),
            tomls=tuple(str(item) for item in stored.get("tomls", ())),
        )
    return Memory()


def remember_theme(name: str) -> None:
    """Begin with this theme from now on."""
    _write(replace(recall(), theme=name))


def remember_toml(path: Path) -> None:
    """Offer ``path`` first when a TOML is to be opened."""
    memory, named = recall(), str(path.absolute())
    others = [item for item in memory.tomls if item != named]
    _write(replace(memory, tomls=(named, *others)[:RECENT]))


def recent_tomls() -> list[Path]:
    """The TOMLs that are still there."""
    found = []
    for item in recall().tomls:
        with contextlib.suppress(OSError, ValueError):
            if Path(item).is_file():
                found.append(Path(item))
    return found


def _path() -> Path:
    return registry.folder().with_name("wizard.json")


def _write(memory: Memory) -> None:
    with contextlib.suppress(WizardError):
        write_json(_path(), asdict(memory), durable=False)
