"""Events as lines of the log, and phases in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .events import DONE, problem_text

_WORDS = ("started", "paused", "resumed", "finished", "stopped")
"""Kinds that are their own words."""

_PHASES = {
    "start": "starting",
    "read dataset": "looking at the folder",
    "check pictures": "checking the pictures",
    "load model": "loading the base model",
    "fingerprint pictures": "reading the pictures",
    "cache latents": "preparing the pictures",
    "cache masks": "preparing the masks",
    "cache conditioning": "preparing the captions",
    "attach network": "building the LoRA",
    "train": "training",
    "sample": "drawing samples",
    "draw class pictures": "drawing class pictures",
    "save": "saving",
    "find the largest batch": "finding the largest batch",
    "rehearse a step": "rehearsing a step",
    "rehearse a sample": "rehearsing a sample",
    "rehearse a save": "rehearsing a save",
    "find pictures": "finding the pictures",
    "load captioner": "loading the captioner",
    "caption": "captioning",
    "write captions": "writing the captions",
}
"""Name in the events -> what people read."""


def phase_in_words(name: str) -> str:
    """What a job does in the phase ``name``; the name itself for one that is not known."""
    return _PHASES.get(name, name)


def going_on(fields: Mapping[str, Any]) -> str:
    """What ``going_on`` says to people."""
    step = fields.get("step")
    return f"goes on after step {step}" if step else "begins again: no state was saved"


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
    if kind == "captions":
        return f"{fields.get('written')} captions written, {fields.get('left')} pictures left out"
    if kind == "going_on":
        return going_on(fields)
    if kind == "stopping":
        return f"stopping ({fields.get('by', '')})"
    return kind if kind in _WORDS else ""
