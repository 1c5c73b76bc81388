"""What edits would write, shown first, and then written as one change that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..dataset.caption_files import Outcome, current_caption
from ..dataset.captions import CaptionError
from ..dataset.images import Progress
from .edits import Edit, applied
from .entries import CaptionSet, Entry

_TITLE = 70
"""Characters."""


@dataclass(frozen=True)
class Pending:
    """What ``edits`` make of a set's captions."""

    before: CaptionSet
    after: tuple[Entry, ...]
    edits: tuple[Edit, ...]

    @property
    def changed(self) -> list[tuple[Entry, Entry]]:
        """(before, after) of every picture whose caption would be written."""
        pairs = zip(self.before.entries, self.after, strict=True)
        return [(old, new) for old, new in pairs if old.caption != new.caption]

    @property
    def emptied(self) -> int:
        """How many captions have nothing left."""
        return sum(not new.caption for _, new in self.changed)

    @property
    def tables(self) -> dict[Path, int]:
        """File of many captions -> how many of its pictures would get a caption file, which comes
        before it."""
        found: dict[Path, int] = {}
        for old, _ in self.changed:
            if old.table:
                found[old.table] = found.get(old.table, 0) + 1
        return found

    @property
    def title(self) -> str:
        """What it is called in the list of what can be undone."""
        words = "; ".join(edit.title for edit in self.edits)
        return f"tags: {words}" if len(words) <= _TITLE else f"tags: {words[: _TITLE - 3]}..."

    def samples(self, most: int = 3) -> list[tuple[Entry, Entry]]:
        """A few of what changes, those first that change most."""
        by_size = sorted(
            self.changed, key=lambda pair: -abs(len(pair[0].caption) - len(pair[1].caption))
        )
        return by_size[:most]

    def remarks(self) -> list[str]:
        """What else is worth knowing before it is written."""
        found: list[str] = []
        if self.emptied:
            found.append(
                f"{_captions(self.emptied)} would be empty: trained with the trigger words alone."
            )
        for table, count in self.tables.items():
            found.append(
                f"{_captions(count)} stand{'s' * (count == 1)} in {table.name}, which stays as it "
                "is: a .txt beside each picture takes its place."
            )
        return found

    def write(self, progress: Progress | None = None) -> Outcome:
        """Write what changes, as one change; what somebody else has changed since it was read is
        left. Raises WriteError, and what ``progress`` raises."""
        texts: dict[Path, str] = {}
        left: dict[Path, str] = {}
        for old, new in self.changed:
            try:
                now = self._in_file(old.path)
                is_due = now == old.caption or (old.table is not None and not now)
                reason = "" if is_due else "its caption was changed meanwhile"
            except CaptionError as error:
                reason = str(error)
            if reason:
                left[new.path] = reason
            else:
                texts[new.path] = new.caption
        # What had a caption in a table is emptied by an empty file.
        outcome = self.before.files.write(texts, self.title, with_empty=True, progress=progress)
        return replace(outcome, left={**left, **outcome.left})

    def _in_file(self, picture: Path) -> str:
        return current_caption(picture, lines=self.before.grammar.has_choices)


def pending(captions: CaptionSet, edits: Sequence[Edit]) -> Pending:
    """What ``edits`` would do."""
    after = applied(edits, captions.entries, captions.grammar)
    return Pending(captions, after, tuple(edits))


def _captions(count: int) -> str:
    return f"{count} caption{'' if count == 1 else 's'}"
