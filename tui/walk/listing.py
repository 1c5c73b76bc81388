"""Drafts and runs as lines of a list, as long as there is room. Nothing here is escaped: what
shows it does that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.text import printable
from . import steps
from .draft import Draft
from .presets import preset_title
from .runs import STATES, RunEntry

WITHIN_LIMITS = "Let it end by itself: at a time, at a cost ..."
ACTION_WORDS = {
    "watch": "Watch it: the loss, the log, the samples",
    "results": "What it has made: pictures and files",
    "resume": "Resume: go on with it from what was saved last",
    "stop": "Stop: finish the step and save",
}


def ago(seconds: float) -> str:
    """A time that has passed, in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def draft_lines(drafts: Sequence[Draft], width: int, now: float) -> list[str]:
    """Name, step, preset, when, and the folder."""
    rows = []
    for draft in drafts:
        step = steps.find(draft.step)
        place = f"step {steps.STEPS.index(step) + 1}/{len(steps.STEPS)} {step.title}"
        preset = preset_title(draft.template) if draft.template else "own TOML"
        when = ago(now - draft.changed)
        rows.append((draft.name, place, when, preset, home_short(draft.folder)))
    return _columns(rows, (18, 25, 11, 22, 60), width)


def run_lines(runs: Sequence[RunEntry], width: int, now: float) -> list[str]:
    """State, name, steps, loss, when it began, and the folder."""
    rows = []
    for entry in runs:
        loss = entry.status.loss if entry.status else None
        state = f"{STATES[entry.state][0]} {entry.word}"
        told = "" if loss is None else f"loss {loss:.4f}"
        when = ago(now - entry.created) if entry.created else ""
        where = home_short(entry.run.path.parent)
        rows.append((state, entry.run.name, entry.progress, told, when, where))
    return _columns(rows, (13, 20, 15, 12, 11, 60), width)


def draft_detail(draft: Draft) -> str:
    """What enter does, and where things are."""
    step = steps.find(draft.step)
    first = f"Enter goes on at step {steps.STEPS.index(step) + 1}: {step.title}."
    saved = f" Saved as {home_short(draft.source)}." if draft.source else ""
    return f"{first}{saved}\nPaths count from {home_short(draft.folder)}"


def run_detail(entry: RunEntry) -> str:
    """Where it is, and what happened to it."""
    words = {
        "live": "It goes on without this window. Enter watches it.",
        "finished": "Enter shows what it has made.",
        "stopped": "It was stopped and saved; it can be resumed.",
        "failed": "It can be resumed once that is mended.",
        "killed": "Its process was ended from outside, perhaps for want of memory. It can be "
        "resumed from what was saved last.",
        "new": "Its training never began.",
        "unreadable": "",
    }[entry.state]
    said = f"{entry.problem.rstrip('.')}. " if entry.problem else ""
    return f"{said}{words}\n{home_short(entry.run.path)}"


def home_short(path: Path) -> str:
    """A path with ``~`` for the home folder."""
    try:
        inside = path.relative_to(Path.home())
    except (ValueError, RuntimeError):
        return str(path)
    return "~" if inside == Path() else f"~/{inside}"


def _columns(rows: Sequence[tuple[str, ...]], widest: tuple[int, ...], width: int) -> list[str]:
    """Lines with the columns below each other, each as wide as it has to be; what has no room at
    the end is cut."""
    cells = [
        [printable(cell, limit=limit) for cell, limit in zip(row, widest, strict=True)]
        for row in rows
    ]
    widths = [max((len(row[at]) for row in cells), default=0) for at in range(len(widest))]
    lines = []
    for row in cells:
        line = "  ".join(f"{cell:<{widths[at]}}" for at, cell in enumerate(row) if widths[at])
        lines.append(printable(line.rstrip(), limit=width))
    return lines
