"""Events as lines of the log."""

from __future__ import annotations

from typing import Any

from .events import DONE, problem_text

_WORDS = ("started", "paused", "resumed", "finished", "stopped")
"""Kinds that are their own words."""


def in_words(kind: str, fields: dict[str, Any]) -> str:
    """What an event says to people; empty for one that says nothing to them."""
    if kind == "problem":
        return problem_text(fields)
    if kind == "failed":
        return ""
    if kind == "step":
        loss = fields.get("loss")
        shown = f" loss {loss:.4f}" if isinstance(loss, float) else ""
        return f"step {fields.get('step')}/{fields.get('total')}{shown}"
    if kind in DONE:
        return f"{DONE[kind]} {fields.get('path', '')}"
    if kind == "published":
        return f"published {fields.get('path', '')}"
    if kind == "stopping":
        return f"stopping ({fields.get('by', '')})"
    return kind if kind in _WORDS else ""
