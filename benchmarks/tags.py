"""10,000 captions of 30 tags: the table, and every edit of all of them, in CPU seconds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from lora_wizard.core.tags.changes import pending
from lora_wizard.core.tags.edits import Edit, Remove
from lora_wizard.core.tags.entries import CaptionSet, Entry
from lora_wizard.core.tags.kinds import KINDS
from lora_wizard.core.tags.parts import Grammar
from lora_wizard.core.tags.table import table_of

CAPTIONS, TAGS, DIFFERENT = 10_000, 30, 3_000
COMMON = ("mika", "1girl", "blue_hair", "smile")


def captions() -> CaptionSet:
    """Four tags that all have, and others by chance."""
    draw = random.Random(1)
    known = [f"tag number {number}" for number in range(DIFFERENT)]
    entries = (
        Entry(
            Path(f"/set/{number}.png"),
            ", ".join([*COMMON, *draw.sample(known, TAGS - len(COMMON))]),
            "mika",
            COMMON[:1],
        )
        for number in range(CAPTIONS)
    )
    return CaptionSet(tuple(entries), Grammar(), Path("/set"))


def edits() -> list[Edit]:
    """One of each kind, and one that finds nothing."""
    told = {"replace": ["smile=grin"], "sort": ["count"], "trigger-words": ["mika"]}
    return [kind.make(told.get(kind.name, ["smile"])) for kind in KINDS] + [Remove(("nothing",))]


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of the faster of two calls."""
    found: list[float] = []
    for _ in range(2):
        begin = time.process_time()
        call()
        found.append(time.process_time() - begin)
    return min(found)


def main() -> None:
    found = captions()
    print(f"{'the table':<40}{seconds(lambda: table_of(found)):6.2f} s")
    for edit in edits():
        print(f"{edit.title:<40}{seconds(lambda edit=edit: pending(found, [edit]).changed):6.2f} s")


if __name__ == "__main__":
    main()
