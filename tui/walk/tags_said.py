"""What the screen of tags says of a set, and of what would be written."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.dataset.caption_files import Outcome
from ...core.tags.changes import Pending
from .tags import Words

_MOST_SHOWN = 120
"""Characters of a caption."""


def question(change: Pending) -> tuple[str, str]:
    """(title, text) of what is asked before anything is written."""
    changed = change.changed
    count = len(changed)
    title = f"Write {count} of {len(change.after)} captions?"
    lines: list[str] = []
    for old, new in change.samples(2):
        lines += [
            old.path.name,
            f"- {_clipped(old.caption)}",
            f"+ {_clipped(new.caption)}",
        ]
    return title, "\n".join([*lines, *change.remarks(), "ctrl+z brings the old ones back."])


def _clipped(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def heading(words: Words) -> str:
    """What the set is, in a line."""
    table = words.table
    without = table.pictures - table.captions
    lacking = f", {without} pictures without" if without else ""
    what = "phrases" if table.style.kind == "sentences" else "different tags"
    whose = f"{words.concept}: " if words.concept else ""
    key = "   c: next concept" if words.concepts[1:] else ""
    there = f"{table.style.words}, {len(table.tags)} {what}"
    return f"{whose}{table.captions} captions{lacking}: {there}{key}"


def advice(words: Words) -> Sequence[str]:
    """What else is to say of the set."""
    found = [words.table.style.advice] if words.table.style.advice else []
    if words.table.inferred:
        found.append(f"{words.table.inferred} begins every caption: taken for the trigger word.")
    if count := len(words.undecided()):
        tags = "1 tag seems" if count == 1 else f"{count} tags seem"
        found.append(
            f"{tags} to describe the subject itself: what captions leave out, the trigger word "
            "learns. p prunes."
        )
    elif words.table.proposed:
        found.append("What captions leave out, the trigger word learns. All proposed is decided.")
    return found


def left_words(outcome: Outcome) -> str:
    """What could not be written, as a further sentence; empty when all was."""
    if not outcome.left:
        return ""
    path, why = next(iter(outcome.left.items()))
    return f" {len(outcome.left)} stay as they are: {path.name} {why}."
