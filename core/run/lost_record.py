"""What a run's events tell of it, for a ``run.json`` that a power cut or an editor has damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import EXIT_FAILED, EXIT_STOPPED
from .events import EventReader, decode

_ENDS = {"finished": 0, "stopped": EXIT_STOPPED, "failed": EXIT_FAILED}
_ERROR_PARTS = ("title", "message", "remedy")


def from_events(events: Path) -> dict[str, Any]:
    """Fields of the record (`core.run.directory.RunRecord`), as far as the events know them: not
    what was typed."""
    found: dict[str, Any] = {}
    for line in EventReader(events).lines():
        event = decode(line)
        if event is None:
            continue
        kind = event["kind"]
        if kind == "started":
            found.setdefault("created", event.get("time"))
            found |= {name: event.get(name) for name in ("what", "version")}
            found |= {"attempts": event.get("attempt"), "outcome": "running"}
            found |= {"exit_code": None, "error": None}
        elif kind in _ENDS and found:
            found |= {"outcome": kind, "exit_code": _ENDS[kind]}
            if kind == "failed":
                found["error"] = {part: str(event.get(part, "")) for part in _ERROR_PARTS}
    wanted = {"created": float, "what": str, "version": str, "attempts": int}
    return {
        name: value
        for name, value in found.items()
        if name not in wanted or isinstance(value, wanted[name])
    }
